// What leaves the disk, and what never does.
import { expect, test } from 'vitest';
import { jobId } from '../../../src/stealing/ids.ts';
import { parseKeep } from '../../../src/node/cli/join-options.ts';
import {
  DEFAULT_KEEP,
  ENDED_JOBS_MAX,
  expired,
  unneededBlobs,
} from '../../../src/node/jobs/retention.ts';
import { Sweeper } from '../../../src/node/jobs/sweeper.ts';

const DAY_MS = 86_400_000;
const nowMs = 1_800_000_000_000;
const [oldest, old, young] = ['a', 'b', 'c'].map((id) => jobId(id)) as [
  ReturnType<typeof jobId>,
  ReturnType<typeof jobId>,
  ReturnType<typeof jobId>,
];
const jobs = [
  { job: young, hasEnded: true, newestMs: nowMs - DAY_MS, bytes: 100 },
  { job: oldest, hasEnded: true, newestMs: nowMs - 40 * DAY_MS, bytes: 100 },
  { job: old, hasEnded: true, newestMs: nowMs - 20 * DAY_MS, bytes: 100 },
];

test.each([
  ['nothing, while it is young and fits', { ms: 50 * DAY_MS, bytes: 1_000 }, []],
  ['what is too old', { ms: 30 * DAY_MS, bytes: 1_000 }, [oldest]],
  ['the oldest first, until the rest fits', { ms: 50 * DAY_MS, bytes: 150 }, [oldest, old]],
  ['everything, when nothing may stay', { ms: 0, bytes: 0 }, [oldest, old, young]],
])('leaves: %s', (_, keep, leaving) => {
  expect(expired(jobs, keep, { nowMs, usedBytes: 300 })).toEqual(leaving);
});

test('of very many young and small jobs the oldest leave', () => {
  const many = Array.from({ length: ENDED_JOBS_MAX + 2 }, (_, i) => ({
    job: jobId(`${i}`),
    hasEnded: i !== 1,
    newestMs: nowMs - i,
    bytes: 1,
  }));
  const keep = { ms: DAY_MS, bytes: 1e9 };
  expect(expired(many, keep, { nowMs, usedBytes: many.length })).toEqual([
    jobId(`${ENDED_JOBS_MAX + 1}`),
  ]);
});

test('a running job stays, whatever its age and size', () => {
  const running = [{ job: oldest, hasEnded: false, newestMs: 0, bytes: 1e12 }];
  expect(expired(running, { ms: 0, bytes: 0 }, { nowMs, usedBytes: 1e12 })).toEqual([]);
});

test('a blob stays while a job names it, and for an hour in which its job may come', () => {
  const blob = (name: string, ageMs: number): Parameters<typeof unneededBlobs>[0][number] => {
    return { sha256: name, bytes: 1, writtenMs: nowMs - ageMs };
  };
  const header = { spec: { sha256: 'spec', bytes: 1 }, datasets: [{ sha256: 'data', bytes: 1 }] };
  const blobs = [
    blob('spec', DAY_MS),
    blob('data', DAY_MS),
    blob('new', 60_000),
    blob('x', DAY_MS),
  ];
  expect(unneededBlobs(blobs, [header], nowMs)).toEqual(['x']);
});

test('--keep takes an age, a size, or both', () => {
  expect(parseKeep('7d')).toEqual({ ms: 7 * DAY_MS, bytes: DEFAULT_KEEP.bytes });
  expect(parseKeep('50GB')).toEqual({ ms: DEFAULT_KEEP.ms, bytes: 50e9 });
  expect(parseKeep('90m, 300mb')).toEqual({ ms: 5_400_000, bytes: 300e6 });
  for (const bad of ['', '30', '5y', '-3d', '1.5GB', '30d;1GB']) {
    expect(() => parseKeep(bad)).toThrow('--keep must be like');
  }
});

test('a sweep lets jobs go before their blobs, and then cleans', async () => {
  const did: string[] = [];
  const known = new Map(jobs.map(({ job }) => [job, job]));
  const sweeper = new Sweeper(
    { ms: 30 * DAY_MS, bytes: 1e9 },
    {
      jobs: () => [...known.keys()].map((job) => ({ header: headerOf(job), hasEnded: true })),
      store: {
        about: (key) => jobs.find(({ job }) => job === key),
        forget: (key) => did.push(`forget ${key}`),
        clean: () => Promise.resolve(did.push('clean')),
        usage: () => ({ liveBytes: 300 }),
      },
      blobs: {
        list: () =>
          Promise.resolve(
            jobs.map(({ job }) => ({ sha256: `data of ${job}`, bytes: 10, writtenMs: 0 })),
          ),
        remove: (sha256) => Promise.resolve(void did.push(`remove ${sha256}`)),
      },
      jobExpired: (job) => {
        known.delete(job);
        did.push(`expire ${job}`);
      },
      swept: (found) => did.push(JSON.stringify(found)),
      failed: (error) => did.push(String(error)),
    },
  );
  await sweeper.sweep(nowMs);
  await sweeper.close();
  expect(did).toEqual([
    'expire a',
    'forget a',
    'remove data of a',
    'clean',
    '{"jobs":1,"blobs":1,"freedBytes":4}',
  ]);
});

function headerOf(job: typeof old): never {
  return { job, spec: { sha256: `data of ${job}`, bytes: 10 }, datasets: [] } as never;
}
