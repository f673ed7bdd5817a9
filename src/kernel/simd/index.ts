// The kernel's hot loops as WebAssembly: what fast/ does in TypeScript, over one linear memory that all slots of a
// peer share. AssemblyScript, compiled by scripts/build-simd.ts into fast/module.ts; tsc does not see this folder.
//
// No static data and no allocation: every pointer is an argument, so that many instances work on one memory. Only
// + - * / sqrt and comparisons, in the order of the TypeScript twins, and no relaxed SIMD: the bits are the same.
export { packConstant, packCrosses, packSeries } from './pack';
export { ema, rsi, sma } from './averages';
export { blocks, mergedBlocks } from './pyramid';
export { reachOfBlocks, reachOfGroups } from './reach';
export { run, setBroker, setMarket, setScratch } from './run';
export { packCrossesOfSingles, singlesOf } from './singles';
