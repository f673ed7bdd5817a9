// The simulated world itself: virtual time, network and disk do what TCP and a journal do, and nothing else.
import { describe, expect, test } from 'vitest';
import { jobId, peerId, type PeerId } from '../../src/stealing/ids.ts';
import type { Input } from '../../src/stealing/input.ts';
import type { PersistEntry } from '../../src/stealing/output.ts';
import { Rng } from '../../src/stealing/rng.ts';
import { VirtualClock } from '../../src/stealing/simulate/clock.ts';
import type { Station } from '../../src/stealing/simulate/connection.ts';
import { type DiskFact, VirtualDisk } from '../../src/stealing/simulate/disk.ts';
import { Network } from '../../src/stealing/simulate/network.ts';
import { referenceRows, referenceValue } from '../../src/stealing/simulate/reference-row.ts';
import { lan } from '../../src/stealing/simulate/scenario.ts';

describe('virtual time', () => {
  test('alarms ring by time, then in the order of arming, and never when called off', () => {
    const clock = new VirtualClock();
    const rung: string[] = [];
    clock.at(5, () => rung.push('b'));
    clock.at(1, () => rung.push('a'));
    clock.at(5, () => rung.push('c'));
    clock.callOff(clock.at(3, () => rung.push('never')));
    clock.at(2, () => clock.at(0, () => rung.push(`past, at ${clock.nowMs}`)));
    while (clock.step());
    expect(rung).toEqual(['a', 'past, at 2', 'b', 'c']);
    expect(clock.nowMs).toBe(5);
  });

  test('a thousand alarms in random order ring in order', () => {
    const clock = new VirtualClock();
    const rng = new Rng(7);
    const rung: number[] = [];
    for (let i = 0; i < 1_000; i++) {
      const atMs = rng.nextBelow(300);
      clock.at(atMs, () => rung.push(atMs));
    }
    while (clock.step());
    expect(rung).toEqual(rung.toSorted((a, b) => a - b));
    expect(rung).toHaveLength(1_000);
  });
});

class Listener implements Station {
  readonly id: PeerId;
  readonly heard: Input[] = [];
  incarnation = 1;
  isUp = true;
  isFrozen = false;

  constructor(name: string) {
    this.id = peerId(name);
  }

  face(): ReturnType<Station['face']> {
    if (!this.isUp) return undefined;
    return { peer: this.id, name: this.id, addr: '', slots: 1, incarnation: this.incarnation };
  }

  isStopped(): boolean {
    return this.isFrozen;
  }

  receive(input: Input): void {
    this.heard.push(input);
  }

  get grants(): number[] {
    return this.heard.flatMap((input) =>
      input.kind === 'messageReceived' && input.message.kind === 'grantConfirmed'
        ? [input.message.grant]
        : [],
    );
  }
}

function pair(): { clock: VirtualClock; network: Network; a: Listener; b: Listener } {
  const clock = new VirtualClock();
  const network = new Network(clock, new Rng(3), {
    plan: { ...lan, jitterMs: 5, breakAfterMs: 10_000, redialMs: 100 },
    sent: () => undefined,
    wire: () => undefined,
  });
  const a = new Listener('a');
  const b = new Listener('b');
  network.attach(a);
  network.attach(b);
  runUntil(clock, 50);
  return { clock, network, a, b };
}

/** The network dials for ever, so its clock never runs dry. */
function runUntil(clock: VirtualClock, atMs: number): void {
  const arrival = clock.at(atMs, () => undefined);
  while (arrival.ring !== undefined) clock.step();
}

function say(network: Network, count: number): void {
  for (let grant = 1; grant <= count; grant++) {
    network.send(peerId('a'), peerId('b'), { kind: 'grantConfirmed', grant });
  }
}

const UP_TO_50 = Array.from({ length: 50 }, (_, i) => i + 1);

describe('the network', () => {
  test('connects both sides, then delivers all messages in order', () => {
    const { clock, network, a, b } = pair();
    expect([a.heard[0]?.kind, b.heard[0]?.kind]).toEqual(['peerConnected', 'peerConnected']);
    say(network, 50);
    runUntil(clock, 200);
    expect(b.grants).toEqual(UP_TO_50);
  });

  test('holds messages back while a direction is blocked, and loses none when it heals in time', () => {
    const { clock, network, b } = pair();
    network.block(peerId('a'), peerId('b'));
    say(network, 50);
    runUntil(clock, 5_000);
    expect(b.grants).toEqual([]);
    network.unblock(peerId('a'), peerId('b'));
    runUntil(clock, 8_000);
    expect(b.grants).toEqual(UP_TO_50);
    expect(b.heard.some(({ kind }) => kind === 'peerDisconnected')).toBe(false);
  });

  test('gives a blocked connection up after a while, on both sides, and connects anew when healed', () => {
    const { clock, network, a, b } = pair();
    network.block(peerId('b'), peerId('a'));
    runUntil(clock, 12_000);
    const closed = { kind: 'peerDisconnected', refused: false };
    expect(a.heard.at(-1)).toEqual({ ...closed, peer: 'b' });
    expect(b.heard.at(-1)).toEqual({ ...closed, peer: 'a' });
    say(network, 1);
    network.unblock(peerId('b'), peerId('a'));
    runUntil(clock, 13_000);
    expect(b.heard.at(-1)?.kind).toBe('peerConnected');
    expect(b.grants).toEqual([]);
  });

  test('a killed process is refused at once, a dead machine is silent for long', () => {
    const killed = pair();
    killed.b.isUp = false;
    killed.network.closed(killed.b.id);
    runUntil(killed.clock, 200);
    const refused = { kind: 'peerDisconnected', peer: 'b', refused: true };
    expect(killed.a.heard.at(-1)).toEqual(refused);

    const dead = pair();
    dead.b.isUp = false;
    dead.network.silent(dead.b.id);
    runUntil(dead.clock, 9_000);
    expect(dead.a.heard.at(-1)?.kind).toBe('peerConnected');
    runUntil(dead.clock, 11_000);
    expect(dead.a.heard.at(-1)).toEqual({ ...refused, refused: false });
  });

  test('a process that starts again has its forerunner disconnected first, then a new incarnation', () => {
    const { clock, network, a, b } = pair();
    b.isUp = false;
    network.silent(b.id);
    b.incarnation = 2;
    b.isUp = true;
    network.started(b.id);
    runUntil(clock, 500);
    const seen = a.heard.map((input) =>
      input.kind === 'peerConnected' ? input.face.incarnation : input.kind,
    );
    expect(seen).toEqual([1, 'peerDisconnected', 2]);
  });

  test('noise loses, doubles and overtakes; afterwards the stream is whole again', () => {
    const { clock, network, b } = pair();
    network.makeNoise({ untilMs: 100, loss: 0.2, duplicate: 0.2, reorder: 0.2 });
    say(network, 50);
    runUntil(clock, 1_000);
    expect(new Set(b.grants).size).toBeLessThan(50);
    expect(b.grants.length).toBeGreaterThan(new Set(b.grants).size);
    expect(b.grants).not.toEqual(b.grants.toSorted((x, y) => x - y));
    const before = b.grants.length;
    say(network, 50);
    runUntil(clock, 2_000);
    expect(b.grants.slice(before)).toEqual(UP_TO_50);
  });
});

function disk(): { clock: VirtualClock; disk: VirtualDisk; facts: DiskFact[] } {
  const clock = new VirtualClock();
  const facts: DiskFact[] = [];
  const options = {
    plan: { flushMs: [10, 10] as const },
    tell: (fact: DiskFact) => void facts.push(fact),
  };
  return { clock, disk: new VirtualDisk(clock, new Rng(1), options), facts };
}

function rowsOf(task: number): PersistEntry {
  const intervals = [[task, task + 1]] as const;
  const values = new Float64Array(1);
  const batch = { kind: 'rows', maker: peerId('a'), intervals, values } as const;
  return { kind: 'rows', job: jobId('j'), batch };
}

describe('the disk', () => {
  test('what comes during a flush goes with the next, answered in order', () => {
    const { clock, disk: it, facts } = disk();
    for (const id of [1, 2, 3]) it.write(id, rowsOf(id));
    clock.step();
    expect(facts).toEqual([{ kind: 'persisted', id: 1 }]);
    clock.step();
    expect(facts.slice(1)).toEqual([
      { kind: 'persisted', id: 2 },
      { kind: 'persisted', id: 3 },
    ]);
    expect(clock.nowMs).toBe(20);
  });

  test('a power loss leaves what was flushed and a prefix of the rest, and answers nobody', () => {
    const lengths = new Set<number>();
    const clock = new VirtualClock();
    const rng = new Rng(5);
    for (let round = 0; round < 40; round++) {
      const it = new VirtualDisk(clock, rng, {
        plan: { flushMs: [10, 10] },
        tell: () => expect.unreachable('a dead process was told something'),
      });
      for (const id of [1, 2, 3]) it.write(id, rowsOf(id));
      it.crash('powerLoss');
      while (clock.step());
      const tasks = it.journal.map(
        (entry) => entry.kind === 'rows' && entry.batch.intervals[0]![0],
      );
      expect(tasks).toEqual([1, 2, 3].slice(0, tasks.length));
      lengths.add(tasks.length);
    }
    expect(lengths).toEqual(new Set([0, 1, 2, 3]));
  });

  test('a full disk refuses and keeps nothing of it', () => {
    const { clock, disk: it, facts } = disk();
    it.fillUp(50);
    it.write(1, rowsOf(1));
    clock.step();
    expect(facts[0]?.kind).toBe('persistFailed');
    expect(it.journal).toEqual([]);
  });
});

test('a reference row depends on the job, the task and the column, and on nothing else', () => {
  const rows = referenceRows(9, 2, [
    [3, 5],
    [0, 1],
  ]);
  const expected = [3, 4, 0].flatMap((task) =>
    [0, 1].map((column) => referenceValue(9, task, column)),
  );
  expect([...rows]).toEqual(expected);
  const all = Array.from({ length: 1_000 }, (_, task) => referenceValue(9, task, 0));
  expect(new Set(all).size).toBeGreaterThan(990);
  expect(referenceValue(10, 3, 0)).not.toBe(referenceValue(9, 3, 0));
});
