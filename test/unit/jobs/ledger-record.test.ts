// Records of a disk, folded into jobs: what a quarantine ends, and that it is remembered.
import { expect, test } from 'vitest';
import { Recovery, recordOf } from '../../../src/node/jobs/ledger-record.ts';
import { jobId, peerId } from '../../../src/stealing/ids.ts';
import type { RowBatch } from '../../../src/stealing/job.ts';
import type { PersistEntry } from '../../../src/stealing/output.ts';
import { header } from '../stealing/rig.ts';

const job = jobId('j');

function rowsOf(maker: string, from: number, to: number): PersistEntry {
  const intervals = [[from, to]] as const;
  const values = new Float64Array((to - from) * header('j', 10).rowWidth).fill(1);
  const batch: RowBatch = { kind: 'rows', maker: peerId(maker), intervals, values };
  return { kind: 'rows', job, batch };
}

test('rows of a quarantined peer are gone, those it gave after it was verified stay, and it is named', () => {
  const recovery = new Recovery();
  for (const entry of [
    { kind: 'job', header: header('j', 10) } as const,
    rowsOf('a', 0, 4),
    rowsOf('b', 4, 10),
    { kind: 'quarantined', job, peer: peerId('b') } as const,
    rowsOf('b', 6, 7),
  ]) {
    recovery.add('j', recordOf(entry, header('j', 10)));
  }
  const [found] = recovery.jobs();
  expect(found?.liars).toEqual(['b']);
  expect(found?.batches.map(({ maker, intervals }) => [maker, intervals])).toEqual([
    ['a', [[0, 4]]],
    ['b', [[6, 7]]],
  ]);
});
