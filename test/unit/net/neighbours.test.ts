// One link per peer: which of two is kept, and what is told, in which order. Links are stand-ins that end when
// the test says so.
import { beforeEach, describe, expect, test } from 'vitest';
import type { Link } from '../../../src/node/net/link.ts';
import { Neighbours } from '../../../src/node/net/neighbours.ts';
import type { PeerId } from '../../../src/stealing/ids.ts';

const LOW = 'a' as PeerId;
const HIGH = 'b' as PeerId;

class StandIn {
  readonly peer: PeerId;
  readonly face: { incarnation: number };
  readonly dialledBySelf: boolean;
  readonly openedMs: number;
  readonly bulk = { close: () => undefined };
  readonly calls: string[] = [];
  readonly #over = Promise.withResolvers<Error | undefined>();

  constructor(
    peer: PeerId,
    more: { incarnation?: number; dialledBySelf?: boolean; openedMs?: number } = {},
  ) {
    this.peer = peer;
    this.face = { incarnation: more.incarnation ?? 1 };
    this.dialledBySelf = more.dialledBySelf ?? true;
    this.openedMs = more.openedMs ?? 0;
  }

  get link(): Link {
    return this as unknown as Link;
  }

  run(): Promise<Error | undefined> {
    return this.#over.promise;
  }

  async breaks(): Promise<void> {
    this.#over.resolve(undefined);
    await this.#over.promise;
    await Promise.resolve();
  }

  cut(): void {
    this.calls.push('cut');
  }

  retire(): void {
    this.calls.push('retire');
  }

  async close(): Promise<void> {
    this.calls.push('close');
  }
}

let told: string[];

function neighboursOf(self: PeerId): Neighbours {
  return new Neighbours(self, {
    onCame: (link) => told.push(`came ${link.face.incarnation}`),
    onGone: (_peer, refused) => told.push(`gone ${refused}`),
    onBroken: () => told.push('broken'),
    onMessage: () => undefined,
    onNews: () => undefined,
    onRekeyed: () => undefined,
  });
}

beforeEach(() => {
  told = [];
});

describe('two links of one incarnation', () => {
  test.each([
    [LOW, HIGH, true, true],
    [LOW, HIGH, false, false],
    [HIGH, LOW, true, false],
    [HIGH, LOW, false, true],
  ])(
    'dialled at once: %s keeps to %s the one that the lower id dialled',
    (self, peer, oldIsOurs, oldStays) => {
      const neighbours = neighboursOf(self);
      const old = new StandIn(peer, { dialledBySelf: oldIsOurs });
      const twin = new StandIn(peer, { dialledBySelf: !oldIsOurs, openedMs: 100 });
      neighbours.add(old.link);
      const kept = neighbours.add(twin.link);
      expect(kept).toBe(oldStays ? old.link : twin.link);
      expect(neighbours.get(peer)).toBe(kept);
      // The other one is let run dry, and the core never hears of it.
      expect([old.calls, twin.calls]).toEqual(oldStays ? [[], ['retire']] : [['retire'], []]);
      expect(told).toEqual(['came 1']);
    },
  );

  test('the end of the one that was given up is no news', async () => {
    const neighbours = neighboursOf(LOW);
    const kept = new StandIn(HIGH);
    const twin = new StandIn(HIGH, { dialledBySelf: false });
    neighbours.add(kept.link);
    neighbours.add(twin.link);
    await twin.breaks();
    expect(told).toEqual(['came 1']);
    await kept.breaks();
    expect(told).toEqual(['came 1', 'broken']);
  });

  test('a link that comes later found the old one dead: gone, then come', () => {
    const neighbours = neighboursOf(LOW);
    const old = new StandIn(HIGH, { dialledBySelf: true });
    neighbours.add(old.link);
    neighbours.add(new StandIn(HIGH, { dialledBySelf: false, openedMs: 60_000 }).link);
    expect(old.calls).toEqual(['cut']);
    expect(told).toEqual(['came 1', 'gone false', 'came 1']);
  });
});

describe('incarnations', () => {
  test('a newer one replaces the older at once, which is reported dead first', () => {
    const neighbours = neighboursOf(LOW);
    neighbours.add(new StandIn(HIGH).link);
    neighbours.add(new StandIn(HIGH, { incarnation: 2 }).link);
    expect(told).toEqual(['came 1', 'gone true', 'came 2']);
  });

  test('an older one is not let in any more', () => {
    const neighbours = neighboursOf(LOW);
    neighbours.add(new StandIn(HIGH, { incarnation: 2 }).link);
    const old = new StandIn(HIGH, { incarnation: 1 });
    expect(neighbours.add(old.link)).toBeUndefined();
    expect(old.calls).toEqual(['cut']);
    expect(told).toEqual(['came 2']);
  });
});

describe('a broken link', () => {
  test.each([true, false])('is settled by the probe, once (refused: %s)', async (refused) => {
    const neighbours = neighboursOf(LOW);
    const link = new StandIn(HIGH);
    neighbours.add(link.link);
    await link.breaks();
    expect(neighbours.isBroken(HIGH)).toBe(true);
    neighbours.settle(HIGH, refused);
    neighbours.settle(HIGH, !refused);
    expect(told).toEqual(['came 1', 'broken', `gone ${refused}`]);
  });

  test.each([
    [1, false],
    [2, true],
  ])(
    'is settled by the peer when it comes back as incarnation %i (refused: %s)',
    async (incarnation, refused) => {
      const neighbours = neighboursOf(LOW);
      const link = new StandIn(HIGH);
      neighbours.add(link.link);
      await link.breaks();
      neighbours.add(new StandIn(HIGH, { incarnation }).link);
      neighbours.settle(HIGH, false);
      expect(told).toEqual(['came 1', 'broken', `gone ${refused}`, `came ${incarnation}`]);
    },
  );
});

test('who waits for a link gets it when it comes, or nothing in time', async () => {
  const neighbours = neighboursOf(LOW);
  const waiting = neighbours.awaited(HIGH, 5000);
  const link = new StandIn(HIGH).link;
  neighbours.add(link);
  expect(await waiting).toBe(link);
  expect(await neighbours.awaited(HIGH, 0)).toBe(link);
  expect(await neighbours.awaited('nobody' as PeerId, 1)).toBeUndefined();
});
