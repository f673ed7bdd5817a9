// Smallest and largest values of blocks of bars: the twin of fast/pyramid.ts. Block b has its smallest value at 2b,
// its largest at 2b + 1.

/** Blocks of 16 bars. */
export function blocks(lows: usize, highs: usize, out: usize, bars: i32): void {
  const count = (bars + 15) >> 4;
  for (let block = 0; block < count; block++) {
    const end = min(bars, (block << 4) + 16);
    let least: f64 = Infinity;
    let most: f64 = -Infinity;
    for (let bar = block << 4; bar < end; bar++) {
      least = min(least, load<f64>(lows + ((<usize>bar) << 3)));
      most = max(most, load<f64>(highs + ((<usize>bar) << 3)));
    }
    store<f64>(out + ((<usize>block) << 4), least);
    store<f64>(out + ((<usize>block) << 4) + 8, most);
  }
}

/** Blocks of 16 of the `count` given blocks. */
export function mergedBlocks(from: usize, out: usize, count: i32): void {
  const merged = (count + 15) >> 4;
  for (let block = 0; block < merged; block++) {
    const end = min(count, (block << 4) + 16);
    let least: f64 = Infinity;
    let most: f64 = -Infinity;
    for (let at = block << 4; at < end; at++) {
      least = min(least, load<f64>(from + ((<usize>at) << 4)));
      most = max(most, load<f64>(from + ((<usize>at) << 4) + 8));
    }
    store<f64>(out + ((<usize>block) << 4), least);
    store<f64>(out + ((<usize>block) << 4) + 8, most);
  }
}
