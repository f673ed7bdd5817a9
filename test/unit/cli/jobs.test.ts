// Which jobs a screen shows: what runs before what has ended, the newest first to be kept.
import { expect, test } from 'vitest';
import { selectJobs } from '../../../src/node/cli/jobs.ts';
import type { JobView } from '../../../src/node/control/api.ts';

const HOUR_MS = 3_600_000;
const NOW_MS = Date.parse('2026-01-05T12:00:00Z');

function job(id: string, state: JobView['state'], hoursAgo: number): JobView {
  return {
    id,
    jobId: id,
    name: id,
    state,
    tasks: 1,
    done: 1,
    failed: 0,
    donePerSec: 0,
    etaMs: null,
    owner: 'studio',
    submittedAt: new Date(NOW_MS - hoursAgo * HOUR_MS).toISOString(),
    priority: 0,
    weight: 1,
    stuck: null,
  };
}

const known = [
  job('old-run', 'running', 90),
  job('old-done', 'done', 30),
  job('lately', 'cancelled', 3),
  job('just-now', 'done', 1),
];

test.each([
  ['a day back, and what runs', { all: false, limit: 20 }, ['old-run', 'lately', 'just-now']],
  ['everything', { all: true, limit: 20 }, ['old-run', 'old-done', 'lately', 'just-now']],
  ['what runs comes first', { all: true, limit: 1 }, ['old-run']],
  ['then the newest that ended', { all: true, limit: 2 }, ['old-run', 'just-now']],
])('%s', (_what, wanted, expected) => {
  expect(selectJobs(known, wanted, NOW_MS).map(({ id }) => id)).toEqual(expected);
});
