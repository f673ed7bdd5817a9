// The WebAssembly module over one arena: an instance of this thread on the memory of all. Undefined where the
// machine cannot run it; then the TypeScript twins do the same work, bit for bit.
import type { Arena } from './arena.ts';
import { KERNEL_WASM } from './module.ts';

/** Pointers are byte offsets into the arena's memory. The signatures are those of src/kernel/simd. */
export interface NativeKernel {
  packSeries(op: number, x: number, y: number, out: number, first: number, end: number): void;
  packCrosses(x: number, y: number, above: number, below: number, first: number, end: number): void;
  singlesOf(x: number, out: number, bars: number): void;
  packCrossesOfSingles(
    singlesX: number,
    singlesY: number,
    x: number,
    y: number,
    above: number,
    below: number,
    first: number,
    end: number,
  ): void;
  packConstant(op: number, x: number, c: number, out: number, first: number, end: number): void;
  sma(x: number, out: number, bars: number, start: number, period: number): void;
  ema(x: number, out: number, bars: number, start: number, period: number): void;
  rsi(x: number, out: number, bars: number, start: number, period: number): void;
  blocks(lows: number, highs: number, out: number, bars: number): void;
  mergedBlocks(from: number, out: number, count: number): void;
  reachOfBlocks(lows: number, highs: number, out: number, bars: number): void;
  reachOfGroups(from: number, out: number, count: number): void;
  setScratch(at: number): void;
  setMarket(
    open: number,
    high: number,
    low: number,
    close: number,
    first: number,
    end: number,
    touches: number,
    reach: number,
    blocksOfCloses: number,
    dayBars: number,
    dayCloses: number,
    dayCount: number,
    annualDays: number,
    bars: number,
  ): void;
  setBroker(
    cash: number,
    fee: number,
    slippage: number,
    lot: number,
    measuresFromSignal: boolean,
    targetFirst: boolean,
  ): void;
  run(
    longEnter: number,
    longExit: number,
    shortEnter: number,
    shortExit: number,
    firstDecision: number,
    maxBars: number,
    cooldown: number,
    reverse: boolean,
    sizeKind: number,
    sizeValue: number,
  ): void;
}

let compiled: WebAssembly.Module | undefined;

export function nativeKernel(arena: Arena): NativeKernel | undefined {
  try {
    compiled ??= new WebAssembly.Module(decodeBase64(KERNEL_WASM));
    const instance = new WebAssembly.Instance(compiled, { env: { memory: arena.memory } });
    return instance.exports as NativeKernel;
  } catch {
    return undefined;
  }
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Of whole groups of four characters. */
function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let bits = 0;
  for (let i = 0, at = 0; i < text.length; i++) {
    bits = (bits << 6) | Math.max(0, ALPHABET.indexOf(text[i] as string));
    if (i % 4 !== 3) continue;
    for (let shift = 16; shift >= 0 && at < bytes.length; shift -= 8) {
      bytes[at++] = (bits >>> shift) & 0xff;
    }
    bits = 0;
  }
  return bytes;
}
