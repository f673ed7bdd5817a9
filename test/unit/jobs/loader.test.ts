// From a header to slots that know the job: what is read from this disk, and what is at hand.
import { expect, it } from 'vitest';
import { JobLoader, type SlotJob } from '../../../src/node/jobs/loader.ts';
import { readSpec } from '../../../src/node/jobfile/read-spec.ts';
import { header } from '../stealing/rig.ts';

const SPEC = new TextEncoder().encode(
  JSON.stringify({ version: 1, kernel: 'spin', tasks: 3, costMs: 1, mode: 'spin', seed: 1 }),
);

function openLoader() {
  const reads: string[] = [];
  const loaded: SlotJob[] = [];
  const loader = new JobLoader({
    memoryBytes: 1,
    machineBytes: 1,
    kernels: ['test@1'],
    blobs: {
      has: () => Promise.resolve(true),
      read: (sha256) => {
        reads.push(sha256);
        return Promise.resolve(SPEC);
      },
      readShared: () => Promise.reject(new Error('no data in these jobs')),
    },
    holders: () => [],
    fetchBlob: () => Promise.resolve(),
    readSpec: (_, bytes) => Promise.resolve(readSpec(bytes)),
    loadSlots: (job) => loaded.push(job),
  });
  return { loader, reads, loaded };
}

it('loads a job that was submitted here from memory, any other from this disk', async () => {
  const { loader, reads, loaded } = openLoader();
  const [own, other] = ['own', 'other'].map((name) => {
    const plain = header(name, 3);
    return { ...plain, rowWidth: 1, spec: { ...plain.spec, sha256: name } };
  }) as [ReturnType<typeof header>, ReturnType<typeof header>];
  const runner = await loader.runner(own, SPEC);
  expect(await loader.load({ ...own, rowWidth: runner.columns.length }, 1)).toBe(runner);
  expect(reads).toEqual([]);
  await loader.load({ ...other, rowWidth: runner.columns.length }, 2);
  expect(reads).toEqual(['other']);
  expect(loaded).toEqual([
    { jobNumber: 1, specBytes: SPEC, datasets: [] },
    { jobNumber: 2, specBytes: SPEC, datasets: [] },
  ]);
});
