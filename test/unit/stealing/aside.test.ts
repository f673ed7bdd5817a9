// Which slots of a peer leave its last tasks to faster ones, and when they do not.
import { beforeEach, describe, expect, it } from 'vitest';
import { WindowCursor } from '../../../src/deque/cursor.ts';
import { Aside } from '../../../src/stealing/aside.ts';
import type { JobBook } from '../../../src/stealing/job-book.ts';
import { DEFAULT_LIMITS } from '../../../src/stealing/limits.ts';
import { measureFinished } from '../../../src/stealing/measure-finished.ts';
import { CoreState } from '../../../src/stealing/state.ts';
import { WorkModel } from '../../../src/stealing/work.ts';
import { refillWindow } from '../../../src/stealing/windows.ts';
import { face, header, rowsOf } from './rig.ts';

const FAST_MS = 400;
const SLOW_MS = 1_000;
/** By slot: two performance cores and an efficiency core. */
const TASK_MS = [FAST_MS, FAST_MS, SLOW_MS];
const SLOW = 2;
const UNITS = 400_000;

let cursor: WindowCursor;
let state: CoreState;
let aside: Aside;
let job: JobBook;

beforeEach(() => {
  cursor = WindowCursor.create(TASK_MS.length);
  state = new CoreState({ face: face('a', 3), seed: 1, cursor, limits: DEFAULT_LIMITS });
  aside = new Aside(state);
});

describe('a slow slot', () => {
  it('leaves the last task to a fast one that would end it first', () => {
    start(4);
    afterTheFirstRound();
    expect([...state.aside]).toEqual([SLOW]);
    expect(cursor.claims(SLOW).claim()).toBe('dry');
    expect(cursor.claims(0).claim()).toMatchObject({ intervals: [[3, 4]] });
  });

  it('takes one of so many that the fast ones end theirs no sooner', () => {
    start(9);
    afterTheFirstRound();
    expect([...state.aside]).toEqual([]);
    expect(cursor.claims(SLOW).claim()).toMatchObject({ intervals: [[3, 4]] });
  });

  it('takes the last task when the fast ones have died or sleep, as soon as they must have woken', () => {
    start(4);
    afterTheFirstRound();
    expect(aside.nextLookMs).toBe(state.nowMs + DEFAULT_LIMITS.slotWakeMs);
    state.nowMs += DEFAULT_LIMITS.slotWakeMs;
    aside.look();
    expect([...state.aside]).toEqual([]);
  });

  it('takes the last task when the fast ones have stalled over theirs', () => {
    start(6);
    afterTheFirstRound();
    for (const slot of [0, 1]) claim(slot);
    aside.look();
    expect([...state.aside]).toEqual([SLOW]);
    // They are late by a quarter; then as long again as they took so far is longer than the slow one needs.
    const lateMs = 1.25 * FAST_MS;
    expect(aside.nextLookMs).toBeCloseTo(state.nowMs + lateMs, 6);
    for (let looks = 0; looks < 10 && state.aside.size > 0; looks++) {
      state.nowMs = aside.nextLookMs ?? state.nowMs;
      aside.look();
    }
    expect([...state.aside]).toEqual([]);
    expect(state.nowMs).toBeLessThan(SLOW_MS + 2 * lateMs);
  });

  it('of which nothing is known, or nothing new, takes what there is', () => {
    start(4);
    aside.look();
    expect([...state.aside]).toEqual([]);
    afterTheFirstRound();
    state.nowMs += Math.max(DEFAULT_LIMITS.slotFreshMs, 4 * SLOW_MS) + 1;
    aside.look();
    expect([...state.aside]).toEqual([]);
  });

  it('takes part in another job that waits', () => {
    start(4);
    afterTheFirstRound();
    const other = state.openBook(header('other', 5));
    other.work = new WorkModel([{ tasks: 5, units: UNITS }]);
    other.enqueue([[0, 5]], 'bottom');
    aside.look();
    expect([...state.aside]).toEqual([]);
  });

  it('begins the next job behind the fast ones, by its speed in the one before', () => {
    start(3);
    afterTheFirstRound();
    start(2, 'next');
    aside.look();
    expect([...state.aside]).toEqual([SLOW]);
  });
});

describe('slots of one speed', () => {
  it('do not wait for each other though no two measure the same', () => {
    start(4);
    afterTheFirstRound([400, 420, 430]);
    expect([...state.aside]).toEqual([]);
  });
});

function start(tasks: number, name = 'j'): void {
  job = state.openBook({ ...header(name, tasks), rateKey: name });
  job.work = new WorkModel([{ tasks, units: UNITS }]);
  job.enqueue([[0, tasks]], 'bottom');
  refillWindow(state);
}

function claim(slot: number): void {
  cursor.claims(slot).claim();
  state.claimsNow(slot);
}

/** Each slot runs one task. */
function afterTheFirstRound(taskMs = TASK_MS): void {
  for (const slot of taskMs.keys()) claim(slot);
  for (const [slot, busyMs] of taskMs.entries()) {
    cursor.claims(slot).finish();
    state.nowMs = Math.max(state.nowMs, busyMs);
    const intervals = [[slot, slot + 1]] as const;
    const values = rowsOf(intervals);
    const { job: id } = job.header;
    measureFinished(state, job, {
      kind: 'tasksFinished',
      job: id,
      slot,
      intervals,
      values,
      busyMs,
    });
  }
  for (const slot of taskMs.keys()) state.claimsNow(slot);
  aside.look();
}
