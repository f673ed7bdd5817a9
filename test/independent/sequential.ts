// A job computed in the plainest way: one loop over all tasks in order, the kernel and nothing of the mesh.
// Whatever peers, steals and crashes a job went through, its results hash must be this one.
// Run it: node test/independent/sequential.ts FILE

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { decodeCandles } from '../../src/kernel/candles.ts';
import { compileJob } from '../../src/kernel/compile.ts';
import { formatProblems, prepareJob } from '../../src/node/jobfile/prepare.ts';

const CHUNK_ROWS = 4096;

/** SHA-256 over the SHA-256s of consecutive chunks of rows, each row packed as little-endian Float64. */
export async function sequentialResultsSha256(file: string): Promise<string> {
  const job = await prepareJob({
    fileName: file,
    text: await readFile(file, 'utf8'),
    readFile: (path) => readFile(resolve(dirname(file), path)),
  });
  if (!job.ok) throw new Error(formatProblems(job.problems));
  const { spec, datasets } = job.prepared;
  const candles = new Map(datasets.map(({ sha256, bytes }) => [sha256, decodeCandles(bytes)]));
  const runner = compileJob(spec, candles, { engine: 'reference' });
  const width = runner.columns.length;
  const row = new Float64Array(width);
  const whole = createHash('sha256');
  for (let first = 0; first < runner.taskCount; first += CHUNK_ROWS) {
    const rows = Math.min(CHUNK_ROWS, runner.taskCount - first);
    const chunk = Buffer.alloc(rows * width * 8);
    for (let i = 0; i < rows; i++) {
      runner.run(first + i, row, 0);
      for (const [column, value] of row.entries()) {
        const at = (i * width + column) * 8;
        if (Number.isNaN(value)) chunk.writeBigUInt64LE(CANONICAL_NAN, at);
        else chunk.writeDoubleLE(value, at);
      }
    }
    whole.update(createHash('sha256').update(chunk).digest());
  }
  return whole.digest('hex');
}

const CANONICAL_NAN = 0x7ff8_0000_0000_0000n;

if (import.meta.main) {
  const [file] = process.argv.slice(2);
  if (file === undefined) {
    console.error('usage: node test/independent/sequential.ts FILE');
    process.exitCode = 2;
  } else console.log(await sequentialResultsSha256(file));
}
