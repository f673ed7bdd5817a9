// One copy of candles for all jobs.
import { expect, test } from 'vitest';
import { SharedBlobs } from '../../../src/node/jobs/shared-blobs.ts';

test('jobs on the same candles share one copy of them, and a blob that is not here is no copy', async () => {
  const reads: string[] = [];
  const shared = new SharedBlobs({
    readShared: async (sha256) => {
      reads.push(sha256);
      if (sha256 === 'lost') throw new Error('not on this disk');
      return new SharedArrayBuffer(8);
    },
  });
  const first = await shared.readShared('a');
  expect(await shared.readShared('a')).toBe(first);
  expect(await shared.readShared('b')).not.toBe(first);
  await expect(shared.readShared('lost')).rejects.toThrow('not on this disk');
  await expect(shared.readShared('lost')).rejects.toThrow('not on this disk');
  expect(reads).toEqual(['a', 'b', 'lost', 'lost']);
});
