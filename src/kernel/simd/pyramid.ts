// Smallest and largest values of blocks of bars: the twin of fast/pyramid.ts. Block b has its smallest value at 2b,
// its largest at 2b + 1.

/** Blocks of 16 bars. */
export function blocks(lows: usize, highs: usize, out: usize, bars: i32): void {
  const count = (bars + 15) >> 4;
  for (let block = 0; block < count; block++) {
    const end = min(bars, (block << 4) + 16);
    let least = f64x2.splat(Infinity);
    let most = f64x2.splat(-Infinity);
    for (let bar = block << 4; bar < end; bar++) {
      least = f64x2.pmin(least, v128.load64_splat(lows + ((<usize>bar) << 3)));
      most = f64x2.pmax(most, v128.load64_splat(highs + ((<usize>bar) << 3)));
    }
    store<v128>(out + ((<usize>block) << 4), v128.shuffle<f64>(least, most, 0, 2));
  }
}

/** Blocks of 16 of the `count` given blocks. */
export function mergedBlocks(from: usize, out: usize, count: i32): void {
  const merged = (count + 15) >> 4;
  for (let block = 0; block < merged; block++) {
    const end = min(count, (block << 4) + 16);
    let least = f64x2.splat(Infinity);
    let most = f64x2.splat(-Infinity);
    for (let at = block << 4; at < end; at++) {
      const pair = v128.load(from + ((<usize>at) << 4));
      least = f64x2.pmin(least, pair);
      most = f64x2.pmax(most, pair);
    }
    store<v128>(out + ((<usize>block) << 4), v128.shuffle<f64>(least, most, 0, 3));
  }
}
