// When the slots of a peer will be free, by what they have claimed and since when.
import { describe, expect, it } from 'vitest';
import type { ClaimView } from '../../../src/deque/claim-view.ts';
import { WindowCursor } from '../../../src/deque/cursor.ts';
import { claimsEndMs, dealTasks } from '../../../src/stealing/horizon.ts';
import type { JobBook } from '../../../src/stealing/job-book.ts';
import { DEFAULT_LIMITS } from '../../../src/stealing/limits.ts';
import { measureFinished } from '../../../src/stealing/measure-finished.ts';
import { CoreState } from '../../../src/stealing/state.ts';
import { refillWindow } from '../../../src/stealing/windows.ts';
import { equalWork, face, header, rowsOf } from './rig.ts';

const TASK_MS = 50;

describe('slots that run long tasks', () => {
  it('are free when their claims end', () => {
    const { state } = running();
    state.nowMs = 20;
    expect(claimsEndMs(state)).toEqual([30, 30]);
    state.nowMs = 60;
    expect(claimsEndMs(state)).toEqual([0, 0]);
  });

  it('are not free while a report waits to be read: they have claimed again long before', () => {
    const { state, job, views } = running();
    state.nowMs = 20;
    claimsEndMs(state);
    state.nowMs = TASK_MS;
    for (const view of views) {
      view.finish();
      view.claim();
    }
    report(state, job, 0);
    expect(claimsEndMs(state)).toEqual([TASK_MS, TASK_MS]);
    state.nowMs = TASK_MS + 10;
    report(state, job, 1);
    expect(claimsEndMs(state)).toEqual([TASK_MS - 10, TASK_MS - 10]);
  });
});

describe('tasks for several peers', () => {
  it('go to a fast slot elsewhere before a slow one here, though that is free first', () => {
    const here = { freeMs: [500, 0], taskMs: [500, 1_250] };
    const elsewhere = { freeMs: [1], taskMs: [500] };
    expect(dealTasks(1, [here, elsewhere])).toEqual([0, 1]);
    expect(dealTasks(2, [here, elsewhere])).toEqual([1, 1]);
    expect(dealTasks(4, [here, elsewhere])).toEqual([2, 2]);
  });
});

/** Two slots at their first of ten tasks. */
function running(): { state: CoreState; job: JobBook; views: ClaimView[] } {
  const cursor = WindowCursor.create(2);
  const state = new CoreState({ face: face('a', 2), seed: 1, cursor, limits: DEFAULT_LIMITS });
  const job = state.openBook(header('j', 10));
  job.work = equalWork(10, TASK_MS * DEFAULT_LIMITS.priorUnitsPerSlotMs);
  job.enqueue([[0, 10]], 'bottom');
  refillWindow(state);
  const views = [cursor.claims(0), cursor.claims(1)];
  for (const view of views) view.claim();
  return { state, job, views };
}

function report(state: CoreState, job: JobBook, slot: number): void {
  const intervals = [[slot, slot + 1]] as const;
  const { job: id } = job.header;
  const values = rowsOf(intervals);
  const fact = {
    kind: 'tasksFinished',
    job: id,
    slot,
    intervals,
    values,
    busyMs: TASK_MS,
  } as const;
  measureFinished(state, job, fact);
}
