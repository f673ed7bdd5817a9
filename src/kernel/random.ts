// A seeded generator of 32-bit integers, the same on every machine. Splitmix: a counter advanced by an odd
// constant and scrambled by an xor-shift-multiply finaliser (Steele, Lea, Flood, "Fast splittable
// pseudorandom number generators", OOPSLA 2014), cut to 32 bits. A counter can be entered anywhere, so the
// draw for task i needs no draws before it.

const GOLDEN = 0x9e37_79b9;

/** Scrambles 32 bits so that neighbours come out unrelated; bijective. Returns 0..2^32-1. The multipliers are of
 * the kind found by search for least bias (C. Wellons, hash-prospector). */
export function mix32(value: number): number {
  let z = value | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0_aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a_2d97);
  return (z ^ (z >>> 15)) >>> 0;
}

export class Random {
  #counter: number;

  /** `stream` separates generators that share a seed, for example one per task. */
  constructor(seed: number, stream = 0) {
    this.#counter = mix32(Math.imul(seed | 0, GOLDEN) ^ mix32(stream + 1));
  }

  /** 0..2^32-1. */
  nextUint32(): number {
    this.#counter = (this.#counter + GOLDEN) | 0;
    return mix32(this.#counter);
  }

  /** Strictly between 0 and 1, in steps of 2^-32. */
  nextUnit(): number {
    return (this.nextUint32() + 0.5) / 4_294_967_296;
  }
}
