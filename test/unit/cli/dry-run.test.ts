// What a dry run says of a job before anything is submitted.
import { expect, it } from 'vitest';
import { estimateJob } from '../../../src/node/cli/dry-run.ts';
import { CSV, accepted, fileWith } from '../jobfile/fixture.ts';

it('a dry run tries all tasks of a small job and counts their rows', async () => {
  const vars = { n: { from: 1, to: 3 } };
  const strategies = [{ vars, long: { enter: ['close > sma($n)'] } }];
  const prepared = await accepted(fileWith({ strategies }), { data: CSV });
  const estimate = estimateJob(prepared);
  expect(estimate).toMatchObject({ tasks: 3, sampled: 3, sampleFailed: 0, rowBytes: 3 * 160 });
  const [dataset] = prepared.datasets;
  expect(estimate.dataBytes).toBe((dataset?.bytes.byteLength ?? 0) + prepared.specBytes.byteLength);
  expect(estimate.slotMs).toBeCloseTo(3 * estimate.msPerTask);
  expect(estimate.machineMs).toBeLessThanOrEqual(estimate.slotMs);
});

it('a dry run does not take what the first tasks compute for all others once more for each of them', async () => {
  // A long task in front stands for that: tried once, it is 500 ms of 40 s and not 10 s.
  const costMs = [500, ...Array.from({ length: 39_999 }, () => 1)];
  const spin = { version: 1, kernel: 'spin', tasks: 40_000, costMs, mode: 'sleep' };
  const { sampled, slotMs } = estimateJob(await accepted(spin));
  expect(sampled).toBe(2_000);
  expect(slotMs).toBeGreaterThan(40_000);
  expect(slotMs).toBeLessThan(42_000);
});

it('a dry run tells of tasks that end with an error', async () => {
  // Defined at the last bar only, where nothing can be bought any more.
  const strategies = [{ long: { enter: ['close > sma(4)'] } }];
  const result = accepted(fileWith({ strategies }), { data: CSV });
  await expect(result.then(estimateJob)).resolves.toMatchObject({ sampleFailed: 1 });
});

it('a dry run of sleeping tasks waits for none of them', async () => {
  const spin = { version: 1, kernel: 'spin', tasks: 300, costMs: 3_000, mode: 'sleep' };
  expect(estimateJob(await accepted(spin))).toMatchObject({
    sampled: 300,
    msPerTask: expect.closeTo(3000, -2),
  });
});
