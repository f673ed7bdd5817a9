// The proof: all tasks of a job in order, one after the other, by the kernel alone. No peer, no steal, no ledger has
// a part in it, so a results hash that equals this one says that the mesh lost, doubled and altered nothing.
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TaskRunner } from '../../kernel/job.ts';

/** Rows whose bytes are hashed together; the definition of the results hash. */
const CHUNK_ROWS = 4096;
/** All undefined values are this one. */
const CANONICAL_NAN = 0x7ff8_0000_0000_0000n;
/** ms until the loop lets others in this process have a turn. More is a little faster; less answers sooner. */
const TURN_MS = 10;

/** SHA-256 over the SHA-256s of consecutive chunks of rows in task order, packed as little-endian Float64. */
export async function plainLoopSha256(runner: TaskRunner, signal: AbortSignal): Promise<string> {
  const width = runner.columns.length;
  const row = new Float64Array(width);
  const whole = createHash('sha256');
  let turnEndsMs = performance.now() + TURN_MS;
  for (let first = 0; first < runner.taskCount; first += CHUNK_ROWS) {
    const rows = Math.min(CHUNK_ROWS, runner.taskCount - first);
    const chunk = Buffer.alloc(rows * width * 8);
    for (let i = 0; i < rows; i++) {
      runner.run(first + i, row, 0);
      writeRow(chunk, i * width * 8, row);
      if (performance.now() < turnEndsMs) continue;
      await nextTurn(undefined, { signal });
      turnEndsMs = performance.now() + TURN_MS;
    }
    whole.update(createHash('sha256').update(chunk).digest());
  }
  return whole.digest('hex');
}

function writeRow(chunk: Buffer, offset: number, row: Float64Array): void {
  for (const [column, value] of row.entries()) {
    const at = offset + column * 8;
    if (Number.isNaN(value)) chunk.writeBigUInt64LE(CANONICAL_NAN, at);
    else chunk.writeDoubleLE(value, at);
  }
}
