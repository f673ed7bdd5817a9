// Who is alive, by silence; who is fenced; and who ranks where.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Beliefs } from '../../../src/stealing/beliefs.ts';
import { highestRanked, type PeerId, peerId } from '../../../src/stealing/ids.ts';
import { DEFAULT_LIMITS } from '../../../src/stealing/limits.ts';
import { Rng } from '../../../src/stealing/rng.ts';
import { beat, face } from './rig.ts';

const B = peerId('b');

describe('a silent peer', () => {
  it.each([
    [1_499, 'ok'],
    [1_500, 'suspect'],
    [9_999, 'suspect'],
    [10_000, 'lost'],
  ] as const)('is after %i ms %s', (silentMs, state) => {
    const beliefs = met();
    const lost = lookUntil(beliefs, silentMs);
    expect(beliefs.get(B)?.state).toBe(state);
    expect(lost).toEqual(state === 'lost' ? ['b'] : []);
  });

  it('is ok again when it is heard, and lost only once', () => {
    const beliefs = met();
    expect(lookUntil(beliefs, 12_000)).toEqual(['b']);
    beliefs.heard(B, 1, 12_000);
    expect(beliefs.get(B)?.state).toBe('ok');
  });

  it('stays lost when its connection is closed, whatever comes late', () => {
    const beliefs = met();
    const belief = beliefs.get(B);
    if (belief !== undefined) belief.connected = false;
    beliefs.lose(B);
    beliefs.heard(B, 1, 100);
    expect(beliefs.isLive(B)).toBe(false);
  });

  it('is traded with while ok, and counts as a disk until it is lost', () => {
    const beliefs = met();
    lookUntil(beliefs, 2_000);
    expect(beliefs.ok()).toEqual([]);
    expect(beliefs.live()).toHaveLength(1);
  });
});

describe('a peer that was paused itself', () => {
  it.each([600, 5_000, 8 * 3_600_000])('accuses nobody after %i ms', (pauseMs) => {
    const beliefs = met();
    lookUntil(beliefs, 1_000);
    expect(beliefs.look(1_000 + pauseMs)).toEqual([]);
    expect(beliefs.get(B)?.state).toBe('ok');
  });

  it('gives everybody the whole time to be heard again, and then accuses', () => {
    const beliefs = met();
    beliefs.look(60_000);
    expect(beliefs.get(B)?.state).toBe('ok');
    for (let nowMs = 60_250; nowMs < 70_500; nowMs += 250) beliefs.look(nowMs);
    expect(beliefs.get(B)?.state).toBe('lost');
  });
});

describe('lives of one peer', () => {
  it('are told apart by incarnation: newer restarts, same comes back, older is fenced', () => {
    const beliefs = met();
    expect(beliefs.connected(face('b', 1, 1), 5)).toBe('back');
    expect(beliefs.connected(face('b', 1, 3), 6)).toBe('restarted');
    expect(beliefs.connected(face('b', 1, 2), 7)).toBe('fenced');
    expect(beliefs.get(B)?.face.incarnation).toBe(3);
    expect(beliefs.heard(B, 2, 8)).toBe('older');
    expect(beliefs.heard(B, 3, 8)).toBe('current');
    expect(beliefs.heard(peerId('nobody'), 1, 8)).toBe('stranger');
  });
});

describe('what a heartbeat tells', () => {
  it('is the round trip, without the time that the echo lay over there', () => {
    const beliefs = met();
    for (let i = 0; i < 30; i++) {
      beliefs.beat(B, beat({ echoSentMs: 1_000, echoAgeMs: 200 }), 1_210);
    }
    expect(beliefs.get(B)?.rttMs).toBeCloseTo(10, 3);
    beliefs.beat(B, beat({ echoSentMs: 5_000, echoAgeMs: 200 }), 1_210);
    expect(beliefs.get(B)?.rttMs).toBeCloseTo(10, 3);
  });

  it('is a backlog that shrinks as it ages', () => {
    const beliefs = met();
    const belief = beliefs.get(B);
    if (belief === undefined) throw new Error('b is known');
    expect(beliefs.agedBacklogMs(belief, 0)).toBe(0);
    beliefs.beat(B, beat({ backlogMs: 500 }), 100);
    expect(beliefs.agedBacklogMs(belief, 300)).toBe(300);
    expect(beliefs.agedBacklogMs(belief, 900)).toBe(0);
  });

  it.each([
    ['has work waiting', beat({ backlogMs: 1 }), false],
    ['has every slot busy', beat({ slots: 2, busySlots: 2 }), false],
    ['has a slot idle', beat({ slots: 2, busySlots: 1 }), true],
  ])('takes its lifeline off when it %s', (_, told, isArmed) => {
    const beliefs = met();
    const belief = beliefs.get(B);
    if (belief !== undefined) belief.armed = true;
    beliefs.beat(B, told, 1);
    expect(belief?.armed).toBe(isArmed);
  });

  it('is its rate, or the prior of its slots', () => {
    const beliefs = new Beliefs(DEFAULT_LIMITS);
    beliefs.connected(face('b', 4), 0);
    const belief = beliefs.get(B);
    if (belief === undefined) throw new Error('b is known');
    expect(beliefs.rateOf(belief, 'k')).toBe(4 * DEFAULT_LIMITS.priorUnitsPerSlotMs);
    beliefs.beat(B, beat({ rates: [{ rateKey: 'k', unitsPerMs: 7 }] }), 1);
    expect(beliefs.rateOf(belief, 'k')).toBe(7);
  });
});

describe('rendezvous ranking', () => {
  const peers = Array.from({ length: 10 }, (_, i) => peerId(`12D3KooW${i}`));
  const keys = Array.from({ length: 5_000 }, (_, i) => `job-${i}`);

  it('spreads jobs evenly over ten peers', () => {
    const owned = new Map<PeerId | undefined, number>();
    for (const key of keys) {
      const owner = highestRanked(key, peers);
      owned.set(owner, (owned.get(owner) ?? 0) + 1);
    }
    // 500 each; four standard deviations of a fair draw are 85.
    for (const peer of peers) expect(Math.abs((owned.get(peer) ?? 0) - 500)).toBeLessThan(85);
  });

  it('moves only what the lost peer had, and spreads that evenly too', () => {
    const gone = peers[3];
    const rest = peers.filter((peer) => peer !== gone);
    const heirs = new Set<PeerId | undefined>();
    for (const key of keys) {
      const before = highestRanked(key, peers);
      const after = highestRanked(key, rest);
      if (before === gone) heirs.add(after);
      else expect(after).toBe(before);
    }
    expect(heirs.size).toBe(9);
  });

  it('does not depend on the order of the candidates', () => {
    const shuffled = fc.shuffledSubarray(peers, { minLength: 1 });
    fc.assert(
      fc.property(fc.string(), shuffled, (key, some) => {
        expect(highestRanked(key, some)).toBe(highestRanked(key, some.toSorted()));
      }),
    );
    expect(highestRanked('k', [])).toBeUndefined();
  });
});

describe('Rng', () => {
  it('gives the same numbers for the same seed, and others for another', () => {
    const [one, same, other] = [7, 7, 8].map((seed) => {
      const rng = new Rng(seed);
      return Array.from({ length: 5 }, () => rng.nextUint32());
    });
    expect(one).toEqual(same);
    expect(one).not.toEqual(other);
  });

  it('draws evenly below a bound', () => {
    const rng = new Rng(1);
    const counts = [0, 0, 0, 0, 0, 0, 0];
    for (let i = 0; i < 70_000; i++) {
      const drawn = rng.nextBelow(7);
      counts[drawn] = (counts[drawn] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
    expect(rng.nextBelow(0)).toBe(0);
  });
});

/** Peer b, met at 0 ms. */
function met(): Beliefs {
  const beliefs = new Beliefs(DEFAULT_LIMITS);
  beliefs.look(0);
  beliefs.connected(face('b'), 0);
  return beliefs;
}

/** Looks every heartbeat, and at the end. */
function lookUntil(beliefs: Beliefs, untilMs: number): PeerId[] {
  const lost: PeerId[] = [];
  for (let nowMs = 250; nowMs < untilMs; nowMs += 250) lost.push(...beliefs.look(nowMs));
  return [...lost, ...beliefs.look(untilMs)];
}
