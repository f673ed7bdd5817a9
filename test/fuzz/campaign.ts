// So many bad inputs for one decoder, from one seed: half of them bent, half of them flipped.
import { Rng } from '../../src/stealing/rng.ts';
import type { DECODERS } from './decoders.ts';
import { flipBytes } from './mutate.ts';

export interface Finding {
  readonly decoder: string;
  readonly seed: number;
  readonly hex: string;
  readonly error: string;
}

export interface Campaign {
  readonly findings: readonly Finding[];
  /** The longest that one input took. */
  readonly slowestMs: number;
}

const FINDINGS_MAX = 5;

export function fuzz(decoder: (typeof DECODERS)[number], cases: number, seed: number): Campaign {
  const rng = new Rng(seed);
  const findings: Finding[] = [];
  let slowestMs = 0;
  for (let i = 0; i < cases && findings.length < FINDINGS_MAX; i++) {
    const good = decoder.good[rng.nextBelow(decoder.good.length)]!;
    const bad = i % 2 === 0 ? flipBytes(good, rng) : decoder.bend(good, rng);
    const began = performance.now();
    try {
      decoder.take(bad);
    } catch (error) {
      const { stack } = error as Error;
      const hex = Buffer.from(bad).toString('hex');
      findings.push({ decoder: decoder.name, seed, hex, error: stack ?? String(error) });
    }
    slowestMs = Math.max(slowestMs, performance.now() - began);
  }
  return { findings, slowestMs };
}
