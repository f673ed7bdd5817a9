// How long a peer with a million records on its disk needs before it can serve, beside a plain read of the same
// bytes. Records of one row each are the worst case: a real flush holds up to 4,096.
//
//   node scripts/bench-journal.ts [--records 1000000] [--rounds 3] [--json]
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { crc32 } from 'node:zlib';
import { jobId, peerId } from '../src/stealing/ids.ts';
import type { JobHeader } from '../src/stealing/job.ts';
import { Recovery, recordOf } from '../src/node/jobs/ledger-record.ts';
import { Journal } from '../src/node/store/journal.ts';

const COLUMNS = 20;

const { values: options } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});
const records = Number(options.records);
const home = await mkdtemp(join(tmpdir(), 'bench-journal-'));
try {
  const writtenMs = await timed(() => write(home));
  const rounds: Awaited<ReturnType<typeof measure>>[] = [];
  for (let round = 0; round < Number(options.rounds); round++) rounds.push(await measure(home));
  const best = (of: (round: Awaited<ReturnType<typeof measure>>) => number): number =>
    Math.min(...rounds.map(of));
  const [first] = rounds;
  const result = {
    records,
    bytes: first?.bytes ?? 0,
    appendedPerSec: Math.round((records / writtenMs) * 1_000),
    readMs: Math.round(best(({ readMs }) => readMs)),
    recoverMs: Math.round(best(({ recoverMs }) => recoverMs)),
  };
  if (options.json) console.log(JSON.stringify({ v: 1, ...result }));
  else {
    console.log(`${records} records of ${COLUMNS} columns, ${(result.bytes / 1e6).toFixed(0)} MB`);
    console.log(`appended in groups   ${result.appendedPerSec} records/s, flushed`);
    console.log(`plain read and CRC   ${result.readMs} ms`);
    console.log(`recovered to serving ${result.recoverMs} ms`);
  }
} finally {
  await rm(home, { recursive: true, force: true });
}

async function write(directory: string): Promise<void> {
  const store = await Journal.open(directory);
  const header = headerOf();
  await store.append(header.job, recordOf({ kind: 'job', header }, header), true);
  const values = Float64Array.from({ length: COLUMNS }, (_, i) => Math.sqrt(i + 2));
  const maker = peerId('12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5');
  for (let task = 0; task < records; ) {
    const group: Promise<void>[] = [];
    for (; task < records && group.length < 4_096; task++) {
      const batch = { kind: 'rows', maker, intervals: [[task, task + 1]], values } as const;
      const record = recordOf({ kind: 'rows', job: header.job, batch }, header);
      group.push(store.append(header.job, record));
    }
    await Promise.all(group);
  }
  await store.close();
}

async function measure(
  directory: string,
): Promise<{ bytes: number; readMs: number; recoverMs: number }> {
  let bytes = 0;
  const readMs = await timed(async () => {
    for (const name of await readdir(directory)) {
      const content = await readFile(join(directory, name));
      crc32(content);
      bytes += content.byteLength;
    }
  });
  const recoverMs = await timed(async () => {
    const recovery = new Recovery();
    const store = await Journal.open(directory, {
      visit: ({ key, payload }) => recovery.add(key, payload),
    });
    const [job] = recovery.jobs();
    const rows = job?.batches.reduce((sum, { values }) => sum + values.length, 0);
    if (rows !== records * COLUMNS) throw new Error(`${rows} values came back`);
    await store.close();
  });
  return { bytes, readMs, recoverMs };
}

function headerOf(): JobHeader {
  return {
    job: jobId('0123456789abcdef'),
    name: 'bench',
    submitter: peerId('12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5'),
    submittedAt: '2026-01-01T00:00:00.000Z',
    taskCount: records,
    rowWidth: COLUMNS,
    kernel: 'backtest@1',
    rateKey: 'backtest',
    spec: { sha256: '0'.repeat(64), bytes: 1 },
    datasets: [],
  };
}

async function timed(act: () => Promise<void>): Promise<number> {
  const from = performance.now();
  await act();
  return performance.now() - from;
}
