// Work changes hands: asking, granting, confirming, lifelines, and going in peace.
import { describe, expect, it } from 'vitest';
import type { Interval } from '../../../src/deque/interval-set.ts';
import { jobId, peerId } from '../../../src/stealing/ids.ts';
import { beat, header, progress, Rig, type RigOptions, withoutBeats } from './rig.ts';

const ARMED = { kind: 'lifelineArmed', rates: [], slots: 1 } as const;

describe('a peer that got a second copy of a task', () => {
  it('runs it itself, whoever waits or asks', () => {
    const rig = withCopy();
    expect(rig.hear('c', ARMED)).toEqual([]);
    expect(rig.hear('c', request(1))).toEqual(['> c: stealRefused 1 tooSmall']);
    rig.finish('j', [[0, 1]]);
    expect(rig.claim()).toEqual([[7, 8]]);
  });

  it('gives what else it has', () => {
    const rig = withCopy();
    rig.hear('a', grant(3, [20, 30]));
    expect(rig.hear('c', request(1))).toEqual(['> c: grant 1 for 1: j 24-30']);
  });

  it('passes it on like any other task once its holder is lost', () => {
    const rig = withCopy();
    rig.lose('a');
    rig.persisted(2);
    expect(rig.hear('c', request(1)).filter((line) => line.includes('grant'))).toEqual([
      '> c: grant 1 for 1: j 7-8',
    ]);
  });

  it('leaves it to its holder when it goes', () => {
    const rig = withCopy();
    rig.hear('a', grant(3, [20, 30]));
    const lines = rig.fact({ kind: 'leaveRequested' }).filter((line) => line.includes('grant'));
    expect(lines).toEqual(['> a: grant 1 for 0: j 25-30', '> c: grant 2 for 0: j 20-25']);
  });
});

describe('a peer that spares its battery', () => {
  it('asks nobody, refuses nobody, and runs what is its own', () => {
    const rig = victim(100);
    rig.fact({ kind: 'sparingRequested', isWanted: true });
    expect(rig.core.status(rig.nowMs).stepsBack).toBe('sparing');
    expect(rig.claim()).toEqual([[0, 1]]);
    expect(rig.hear('b', request(1))).toEqual(['> b: grant 1 for 1: j 50-100']);
    expect(rig.core.status(rig.nowMs).peers[0]?.state).toBe('draining');
  });

  it('sees a surplus and leaves it alone until it has power again', () => {
    const rig = thief();
    rig.fact({ kind: 'sparingRequested', isWanted: true });
    expect(withoutBeats(rig.hear('a', beat({ backlogMs: 500 })))).toEqual([]);
    expect(withoutBeats(rig.during(2_000))).toEqual([]);
    rig.fact({ kind: 'sparingRequested', isWanted: false });
    expect(rig.hear('a', beat({ backlogMs: 500 }))).toContain('> a: stealRequest 1');
  });
});

describe('the victim', () => {
  it('answers a steal in one round trip, with what makes both finish together', () => {
    const rig = victim(100);
    expect(rig.hear('b', request(1))).toEqual(['> b: grant 1 for 1: j 50-100']);
    expect(rig.hear('b', { kind: 'grantConfirmed', grant: 1 })).toEqual([]);
  });

  it('gives less to a thief that still has work', () => {
    const rig = victim(100);
    expect(rig.hear('b', request(1, 60))).toEqual(['> b: grant 1 for 1: j 80-100']);
  });

  it('never gives a claimed task away', () => {
    const rig = victim(3);
    expect(rig.claim()).toEqual([[0, 1]]);
    expect(rig.hear('b', request(1))).toEqual(['> b: grant 1 for 1: j 2-3']);
    expect(rig.hear('b', request(2))).toEqual(['> b: grant 2 for 2: j 1-2']);
    expect(rig.hear('b', request(3))).toEqual(['> b: stealRefused 3 empty']);
  });

  it('refuses with a reason', () => {
    const rig = victim(100);
    expect(rig.hear('b', request(1, 100))).toEqual(['> b: stealRefused 1 tooSmall']);
    rig.hear('b', beat({ draining: true }));
    expect(rig.hear('b', request(2))).toEqual(['> b: stealRefused 2 draining']);
  });

  it('sends a grant that nobody confirms again, the same one, with the offer it may depend on', () => {
    const rig = victim(100);
    rig.hear('b', request(1));
    expect(rig.during(250)).toEqual([]);
    rig.hear('b', beat());
    expect(rig.during(250)).toEqual(['> b: jobOffered j', '> b: grant 1 for 1: j 50-100']);
  });

  it('has a grant back in its queue when its thief is lost before it confirmed', () => {
    const rig = victim(100);
    rig.hear('b', request(1));
    expect(rig.book('j').heldCount).toBe(50);
    rig.lose('b');
    expect(rig.book('j').heldCount).toBe(100);
  });

  it('has it back too when its thief comes with a new life', () => {
    const rig = victim(100);
    rig.hear('b', request(1));
    rig.connect('b', 1, 2);
    expect(rig.book('j').heldCount).toBe(100);
  });

  it('feeds an armed lifeline once', () => {
    const rig = victim(100);
    expect(rig.hear('b', ARMED)).toEqual(['> b: grant 1 for 0: j 50-100']);
    expect(rig.fact({ kind: 'wakeDue' })).toEqual([]);
  });

  it('feeds nobody whose heartbeat says that it is busy by now', () => {
    const rig = new Rig();
    rig.connect('b');
    rig.hear('b', ARMED);
    rig.hear('b', beat({ backlogMs: 5 }));
    rig.submit('j', 100);
    expect(rig.load('j', 100)).toEqual([]);
  });

  it('does not pass the first batch of a job on to neighbours who got theirs', () => {
    const rig = new Rig({ name: 'c' });
    rig.connect('a');
    rig.connect('b');
    rig.hear('b', ARMED);
    rig.hear('a', { kind: 'jobOffered', header: header('j', 900) });
    rig.load('j', 900);
    expect(rig.hear('a', grant(1, [300, 600]))).toEqual(['> a: grantConfirmed 1']);
  });

  it.each([
    // queue, thief's rate, thief's backlog in ms, granted, why
    [100, 1_000, 0, 50, 'equal peers share equally'],
    [100, 3_000, 0, 75, 'a thief three times as fast gets three quarters'],
    [100, 250, 0, 20, 'a slow one a fifth'],
    [100, 1_000, 20, 40, 'what it still has is part of its share'],
    [8, 1_000, 0, 4, 'in the tail a few tasks are enough'],
    [2, 1_000, 0, 1, 'one task waits, one can start here'],
    [1, 1_000, 0, 0, 'the only task can start here at once'],
    [100, 1_000, 99, 0, 'both finish together already'],
    [1_000, 0, 0, 0, 'a thief that cannot run it gets nothing'],
  ])('balances a queue of %i against rate %i and %i ms: gives %i, for %s', (...row) => {
    const [queue, unitsPerMs, backlogMs, granted] = row;
    const rig = victim(queue);
    const rates = [{ rateKey: 'test', unitsPerMs }];
    rig.hear('b', { kind: 'stealRequest', request: 1, rates, slots: 1, backlogMs });
    expect(queue - rig.book('j').heldCount).toBe(granted);
  });
});

describe('the thief', () => {
  it('asks the peer with a surplus, takes the grant, confirms it, and has it once', () => {
    const rig = thief();
    expect(rig.hear('a', beat({ backlogMs: 500 }))).toEqual(['> a: stealRequest 1']);
    const reply = grant(1, [50, 100]);
    expect(rig.hear('a', { ...reply, request: 1 })).toEqual(['> a: grantConfirmed 1']);
    expect(rig.book('j').heldCount).toBe(50);
    expect(rig.hear('a', { ...reply, request: 1 })).toEqual(['> a: grantConfirmed 1']);
    expect(rig.book('j').heldCount).toBe(50);
    expect(rig.claim()).toEqual([[50, 51]]);
  });

  it('asks for nothing of a job whose data it has waited for too long, until they are here', () => {
    const rig = new Rig({ name: 'b' });
    rig.connect('a');
    rig.hear('a', { kind: 'jobOffered', header: header('j', 100) });
    rig.nowMs += 1_000;
    // Whoever waits as long gives all it has: two of them would pass it to and fro until their data come.
    expect(rig.hear('a', request(1))).toContain('> a: stealRefused 1 empty');
    expect(withoutBeats(rig.hear('a', beat({ backlogMs: 500 })))).toEqual([]);
    expect(rig.load('j', 100)).toContain('> a: stealRequest 1');
  });

  it('asks for nothing of it by name either, while another job runs here', () => {
    const rig = thief();
    rig.hear('a', { kind: 'jobOffered', header: header('k', 100) });
    rig.nowMs += 1_000;
    const k = { ...progress('k', 100), backlogWork: 100_000 };
    expect(withoutBeats(rig.hear('a', beat({ backlogMs: 0, jobs: [k] })))).toEqual([]);
    expect(rig.load('k', 100)).toContain('> a: stealRequest 1');
  });

  it('does not confirm a grant of a job that it does not know', () => {
    const rig = new Rig({ name: 'b' });
    rig.connect('a');
    expect(rig.hear('a', grant(1, [0, 10]))).toEqual([]);
  });

  it('tries a few times, then is silent until work comes or somebody tells of a surplus', () => {
    const rig = thief({ limits: { refusalsMax: 3 } });
    const lines = rig.hear('a', beat({ backlogMs: 5_000 }));
    for (let request = 1; request <= 3; request++) {
      expect(lines.splice(0)).toEqual([`> a: stealRequest ${request}`]);
      expect(rig.hear('a', { kind: 'stealRefused', request, reason: 'tooSmall' })).toEqual([]);
      rig.nowMs += 10;
      lines.push(...rig.fact({ kind: 'wakeDue' }));
    }
    // Its lifeline at `a` is out since it came: nothing more is said.
    expect(lines).toEqual([]);
    expect(rig.during(1_000)).toEqual([]);
    const told = beat({ backlogMs: 5_000, jobs: [progress('j')] });
    expect(rig.hear('a', told)).toEqual(['> a: stealRequest 4']);
  });

  it('gives a victim up that does not answer', () => {
    const rig = thief();
    rig.hear('a', beat({ backlogMs: 9_000 }));
    expect(rig.core.nextWake()).toEqual({ atMs: rig.nowMs + 250, reason: 'heartbeat' });
    expect(rig.during(500)).toEqual([]);
    rig.nowMs += 10;
    expect(rig.fact({ kind: 'wakeDue' })).toEqual(['> a: stealRequest 2']);
  });

  it('arms a lifeline at everybody when nobody has a surplus, once', () => {
    const rig = new Rig({ name: 'b' });
    rig.connect('a');
    expect(withoutBeats(rig.connect('c'))).toEqual(['> c: lifelineArmed']);
    expect(rig.during(1_000)).toEqual([]);
  });

  it('arms again at whoever fed it, and at all when they heard that it was busy', () => {
    const rig = thief();
    rig.connect('c');
    rig.hear('a', grant(1, [0, 1]));
    expect(rig.claim()).toEqual([[0, 1]]);
    expect(withoutBeats(rig.finish('j', [[0, 1]]))).toContain('> a: lifelineArmed');
    rig.hear('a', grant(2, [1, 2]));
    expect(rig.after(250)).toContain('> c: heartbeat');
    expect(rig.claim()).toEqual([[1, 2]]);
    const armed = rig.finish('j', [[1, 2]]).filter((line) => line.endsWith('lifelineArmed'));
    expect(armed).toEqual(['> a: lifelineArmed', '> c: lifelineArmed']);
  });

  it('asks nobody and is asked for nothing while it cannot run the job', () => {
    const rig = new Rig({ name: 'b' });
    rig.connect('a');
    rig.hear('a', { kind: 'jobOffered', header: header('j', 100) });
    rig.hear('a', grant(1, [0, 50]));
    const unloadable = rig.fact({ kind: 'jobUnloadable', job: jobId('j'), reason: 'no kernel' });
    expect(unloadable).toEqual([
      'log warn a job cannot run here',
      '> a: heartbeat',
      '> a: grant 1 for 0: j 0-50',
    ]);
    expect(rig.hear('a', beat({ backlogMs: 9_000 }))).toEqual(['> a: lifelineArmed']);
    expect(rig.hear('a', beat({ backlogMs: 9_000 }))).toEqual([]);
  });
});

describe('leaving', () => {
  it('gives the queue back, ends its claim, delivers the rows and says goodbye once', () => {
    const rig = thief();
    rig.hear('a', grant(1, [0, 10]));
    expect(rig.claim()).toEqual([[0, 1]]);
    expect(rig.fact({ kind: 'leaveRequested' })).toEqual([
      '> a: heartbeat',
      '> a: grant 1 for 0: j 1-10',
    ]);
    expect(rig.finish('j', [[0, 1]])).toEqual(['persist 2: j rows of b 0-1']);
    expect(rig.hear('a', { kind: 'grantConfirmed', grant: 1 })).toEqual([]);
    expect(rig.persisted(2)).toEqual(['> a: rows 1: j rows of b 0-1']);
    expect(rig.hear('a', { kind: 'rowsKept', delivery: 1 })).toEqual([
      '> a: leaving',
      'finishLeaving',
    ]);
    expect(rig.fact({ kind: 'wakeDue' })).toEqual([]);
  });

  it('alone ends with the claimed tasks, not with the job', () => {
    const rig = new Rig();
    rig.submit('j', 100);
    rig.persisted(1);
    rig.load('j', 100);
    rig.claim();
    expect(rig.fact({ kind: 'leaveRequested' })).toEqual([]);
    rig.finish('j', [[0, 1]]);
    expect(rig.claim()).toEqual([]);
    expect(rig.during(50)).toEqual(['persist 2: j rows of a 0-1']);
    expect(rig.persisted(2)).toEqual(['jobChanged j', 'finishLeaving']);
  });

  it('passes on what is granted to it meanwhile', () => {
    const rig = thief();
    rig.connect('c');
    rig.fact({ kind: 'peerDisconnected', peer: peerId('a'), refused: false });
    rig.connect('a');
    rig.hear('a', grant(1, [0, 10]));
    rig.claim();
    rig.fact({ kind: 'leaveRequested' });
    expect(rig.hear('a', grant(2, [20, 30]))).toEqual([
      '> a: grantConfirmed 2',
      '> a: grant 3 for 0: j 25-30',
      '> c: grant 4 for 0: j 20-25',
    ]);
  });

  it('does not wait for the answer to a steal', () => {
    const rig = thief();
    rig.hear('a', grant(1, [0, 1]));
    rig.claim();
    rig.hear('a', beat({ backlogMs: 900 }));
    rig.fact({ kind: 'leaveRequested' });
    rig.nowMs += 60_000;
    rig.fact({ kind: 'wakeDue' });
    expect(rig.core.nextWake().atMs).toBeGreaterThan(rig.nowMs);
  });

  it('of another peer is its end here, also when a late heartbeat follows', () => {
    const rig = victim(100);
    rig.hear('b', request(1));
    rig.hear('b', { kind: 'leaving' });
    expect(rig.book('j').heldCount).toBe(100);
    rig.hear('b', beat());
    expect(rig.core.status(rig.nowMs).peers[1]?.state).toBe('lost');
  });
});

/** Peer a with one slot and a job of its own, beside b; a task takes 1 ms. */
function victim(tasks: number): Rig {
  const rig = new Rig();
  rig.connect('b');
  rig.submit('j', tasks);
  rig.persisted(1);
  rig.hear('b', { kind: 'jobStored', job: jobId('j') });
  rig.load('j', tasks);
  return rig;
}

/** Peer b with one slot, beside a, whose job of 100 tasks it has. */
function thief(options: RigOptions = {}): Rig {
  const rig = new Rig({ name: 'b', ...options });
  rig.connect('a');
  rig.hear('a', { kind: 'jobOffered', header: header('j', 100) });
  rig.load('j', 100);
  rig.persisted(1);
  return rig;
}

/** b is at a task of its own when a copy comes from a; c stands by. */
function withCopy(): Rig {
  const rig = thief();
  rig.connect('c');
  rig.hear('a', grant(1, [0, 1]));
  expect(rig.claim()).toEqual([[0, 1]]);
  rig.hear('a', { ...grant(2, [7, 8]), copy: true });
  return rig;
}

function request(id: number, backlogMs = 0) {
  return { kind: 'stealRequest', request: id, rates: [], slots: 1, backlogMs } as const;
}

function grant(id: number, ...intervals: Interval[]) {
  return {
    kind: 'grant',
    grant: id,
    request: 0,
    batches: [{ job: jobId('j'), intervals }],
  } as const;
}
