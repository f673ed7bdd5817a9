// Smallest and largest values of blocks of 16, 256 and 4,096 bars: a search skips a block that cannot hold
// what it looks for. Pairs lie side by side, so that a block costs one cache miss.

export class Pyramid {
  readonly #lows: Float64Array;
  readonly #highs: Float64Array;
  /** Block b has its smallest value at 2b, its largest at 2b + 1. */
  readonly blocks16: Float64Array;
  readonly blocks256: Float64Array;
  readonly blocks4096: Float64Array;

  /** `lows` and `highs` may be one and the same series. `levels` has the three levels one after the other where
   * they are computed already. */
  constructor(lows: Float64Array, highs: Float64Array, levels?: Float64Array) {
    this.#lows = lows;
    this.#highs = highs;
    if (levels === undefined) {
      this.blocks16 = blocksOf(lows, highs);
      this.blocks256 = mergedBlocks(this.blocks16);
      this.blocks4096 = mergedBlocks(this.blocks256);
    } else {
      const [by16, by256] = levelSizes(lows.length);
      this.blocks16 = levels.subarray(0, by16);
      this.blocks256 = levels.subarray(by16, by16 + by256);
      this.blocks4096 = levels.subarray(by16 + by256);
    }
  }

  /** First bar in [from, to] whose low is at or below `below` or whose high is at or above `above`; a bar after
   * `to` when there is none. A bound of NaN is no bound. A block is asked as soon as the search stands anywhere
   * in it: that its earlier bars are asked too costs a needless look inside, never a wrong answer. */
  firstTouch(from: number, to: number, below: number, above: number): number {
    let bar = from;
    while (bar <= to) {
      if ((bar & 4095) === 0 && !isTouched(this.blocks4096, bar >>> 12, below, above)) bar += 4096;
      else if (!isTouched(this.blocks256, bar >>> 8, below, above)) bar = (bar | 255) + 1;
      else {
        const last = Math.min(to, bar | 255);
        bar = this.#firstTouchByBar(bar, last, below, above);
        if (bar <= last) return bar;
      }
    }
    return bar;
  }

  /** The same, without the larger blocks. */
  #firstTouchByBar(from: number, to: number, below: number, above: number): number {
    const lows = this.#lows;
    const highs = this.#highs;
    const blocks = this.blocks16;
    let bar = from;
    while (bar <= to) {
      const last = Math.min(to, bar | 15);
      if (isTouched(blocks, bar >>> 4, below, above)) {
        for (; bar <= last; bar++) {
          if ((lows[bar] as number) <= below || (highs[bar] as number) >= above) return bar;
        }
      } else bar = last + 1;
    }
    return bar;
  }
}

/** Values in each level. */
export function levelSizes(barCount: number): [by16: number, by256: number, by4096: number] {
  const by16 = Math.ceil(barCount / 16);
  const by256 = Math.ceil(by16 / 16);
  return [2 * by16, 2 * by256, 2 * Math.ceil(by256 / 16)];
}

function isTouched(blocks: Float64Array, block: number, below: number, above: number): boolean {
  return (blocks[2 * block] as number) <= below || (blocks[2 * block + 1] as number) >= above;
}

/** The last block may be a partial one. */
function blocksOf(lows: Float64Array, highs: Float64Array): Float64Array {
  const blocks = new Float64Array(2 * Math.ceil(lows.length / 16));
  for (let block = 0; 2 * block < blocks.length; block++) {
    const end = Math.min(lows.length, 16 * block + 16);
    let least = Infinity;
    let most = -Infinity;
    for (let bar = 16 * block; bar < end; bar++) {
      least = Math.min(least, lows[bar] as number);
      most = Math.max(most, highs[bar] as number);
    }
    blocks[2 * block] = least;
    blocks[2 * block + 1] = most;
  }
  return blocks;
}

function mergedBlocks(blocks: Float64Array): Float64Array {
  const merged = new Float64Array(2 * Math.ceil(blocks.length / 32));
  for (let block = 0; 2 * block < merged.length; block++) {
    const end = Math.min(blocks.length, 32 * block + 32);
    let least = Infinity;
    let most = -Infinity;
    for (let at = 32 * block; at < end; at += 2) {
      least = Math.min(least, blocks[at] as number);
      most = Math.max(most, blocks[at + 1] as number);
    }
    merged[2 * block] = least;
    merged[2 * block + 1] = most;
  }
  return merged;
}
