// Who took work from whom, as one peer sees it: its own steals by message, those of others by their counters.
import { expect, test } from 'vitest';
import { Observer } from '../../../src/node/answers/observer.ts';
import { jobId, peerId } from '../../../src/stealing/ids.ts';
import type { Message } from '../../../src/stealing/messages.ts';
import type { CoreStatus, PeerStatus } from '../../../src/stealing/status.ts';

function peer(name: string, change: Partial<PeerStatus> = {}): PeerStatus {
  const face = { peer: peerId(name), name, addr: '127.0.0.1', slots: 4, incarnation: 1 };
  const counters = { done: 0, failed: 0, stole: 0, gave: 0, donePerSec: 0, recentUnits: 0 };
  const load = { busySlots: 2, queuedTasks: 0, rate: 1, rttMs: 1 };
  return { face, isSelf: name === 'a', state: 'ok', ...load, ...counters, ...change };
}

function status(...peers: readonly PeerStatus[]): CoreStatus {
  return { self: peerId('a'), stepsBack: undefined, peers, jobs: [], job: () => undefined };
}

function grant(number: number, tasks: number): Message {
  const batches = [{ job: jobId('j'), intervals: [[0, tasks] as const] }];
  return { kind: 'grant', grant: number, request: 1, batches };
}

function stealsOf(observer: Observer, now: CoreStatus): readonly string[] {
  return observer
    .snapshot(now, () => undefined, 0)
    .steals.map(
      ({ thief, victim, tasks, refused }) => `${thief} ${victim ?? '?'} ${refused ?? tasks}`,
    );
}

test('a grant counts once, however often it is sent', () => {
  const observer = new Observer();
  const now = status(peer('a'), peer('b'));
  observer.sent('a', 'b', grant(7, 16), 0);
  observer.sent('a', 'b', grant(7, 16), 500);
  observer.heard('a', 'b', grant(3, 5), 600);
  observer.heard('a', 'b', grant(3, 5), 700);
  observer.heard('a', 'b', { kind: 'stealRefused', request: 1, reason: 'empty' }, 800);
  expect(stealsOf(observer, now)).toEqual(['a b empty', 'a b 5', 'b a 16']);
});

test('counters of others tell of steals that this peer had no part in', () => {
  const observer = new Observer();
  observer.sample(status(peer('a'), peer('b', { gave: 100 }), peer('c', { stole: 90 })), 0);
  const later = status(peer('a'), peer('b', { gave: 116 }), peer('c', { stole: 106 }));
  observer.sample(later, 1000);
  expect(stealsOf(observer, later)).toEqual(['c b 16']);
});

test('what this peer gave itself is not told twice when the counter follows', () => {
  const observer = new Observer();
  observer.sample(status(peer('a'), peer('b')), 0);
  observer.sent('a', 'b', grant(1, 16), 500);
  const later = status(peer('a', { gave: 16 }), peer('b', { stole: 16 }));
  observer.sample(later, 1000);
  expect(stealsOf(observer, later)).toEqual(['b a 16']);
});

test('a counter that falls is a new life, not a steal', () => {
  const observer = new Observer();
  observer.sample(status(peer('a'), peer('b', { stole: 50 })), 0);
  const later = status(peer('a'), peer('b', { stole: 3 }));
  observer.sample(later, 1000);
  expect(stealsOf(observer, later)).toEqual([]);
});

test('half a minute of load is kept, oldest first', () => {
  const observer = new Observer();
  for (let second = 0; second < 40; second++) {
    observer.sample(status(peer('a', { busySlots: second < 35 ? 4 : 1 })), second * 1000);
  }
  const busy = observer.snapshot(status(peer('a')), () => undefined, 0).history[0]?.busy ?? [];
  expect(busy).toEqual([...Array<number>(25).fill(1), ...Array<number>(5).fill(0.25)]);
});
