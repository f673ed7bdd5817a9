// The demo's claims: true only when they are.
import { describe, expect, it } from 'vitest';
import type { JobSummary } from '../../../src/node/control/api.ts';
import { type DemoFacts, judge } from '../../../src/node/demo/verdict.ts';

const HASH = 'ab'.repeat(32);

describe('the verdict', () => {
  it('is yes when a loaded peer died, all rows counted once, hashes agree and work followed speed', () => {
    const report = judge(facts());
    expect(report.claims.filter(({ isTrue }) => !isTrue)).toEqual([]);
    expect(report.ok).toBe(true);
    expect(report.peers).toEqual([
      {
        name: 'studio',
        wasKilled: false,
        slotShare: 0.5,
        speedShare: 0.7,
        workShare: 0.72,
        done: 720,
      },
      { name: 'mbp', wasKilled: true, slotShare: 0.5, speedShare: 0.3, workShare: 0.28, done: 280 },
    ]);
  });

  it.each<[why: string, change: Partial<DemoFacts>]>([
    ['nobody was killed', { killed: undefined }],
    ['the killed peer held 5 % and not more', { killed: { id: 'b', held: 50 } }],
    ['the job was cancelled', { summary: summary({ state: 'cancelled' }) }],
    ['a row never came', { rows: { tasks: 999, again: 0 } }],
    ['a row came twice', { rows: { tasks: 1_000, again: 1 } }],
    ['a backtest failed', { summary: summary({ done: 999, failed: 1 }) }],
    ['the peers claim more than there was', { summary: summary({ peers: made(720, 281) }) }],
    ['the hash is another one', { loopSha256: 'cd'.repeat(32) }],
    ['there is no hash', { summary: summary({ resultsSha256: null }) }],
    ['work went by slots', { summary: summary({ peers: made(500, 500) }) }],
  ])('is no when %s', (_why, change) => {
    expect(judge({ ...facts(), ...change }).ok).toBe(false);
  });
});

function facts(): DemoFacts {
  return {
    summary: summary({}),
    peers: [
      { id: 'a', name: 'studio', slots: 1, speedShare: 0.7 },
      { id: 'b', name: 'mbp', slots: 1, speedShare: 0.3 },
    ],
    killed: { id: 'b', held: 51 },
    rows: { tasks: 1_000, again: 0 },
    loopSha256: HASH,
    sharePointsMax: 3,
  };
}

function summary(change: Partial<JobSummary>): JobSummary {
  return {
    v: 1,
    job: 'j-0000',
    name: 'demo',
    state: 'done',
    tasks: 1_000,
    done: 1_000,
    failed: 0,
    cached: 0,
    disputed: 0,
    lost: 0,
    checked: 0,
    elapsedMs: 10_000,
    resultsSha256: HASH,
    peers: made(720, 280),
    efficiency: { bound: 1, greedy: 1 },
    steals: 3,
    messages: 30,
    resultMessages: 40,
    top: [],
    ...change,
  };
}

function made(a: number, b: number): JobSummary['peers'] {
  return [
    { id: 'a', name: 'studio', addr: '', slots: 1, done: a, share: a / (a + b), rate: 7 },
    { id: 'b', name: 'mbp', addr: '', slots: 0, done: b, share: b / (a + b), rate: 0 },
  ];
}
