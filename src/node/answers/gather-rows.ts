// The rows of an ended job, brought into this peer's memory from the disks that have them.
import type { JobBook } from '../../stealing/job-book.ts';
import { MeshError } from '../errors.ts';

/** ms until rows that other peers have must be here; their owner may be dying just now. */
const GATHER_PATIENCE_MS = 30_000;
const GATHER_AGAIN_MS = 1_000;

/** Resolves at once for a running job: it has what it has. Throws UNREACHABLE when the rows do not come. */
export async function gatherRows(book: JobBook, requestRows: () => void): Promise<void> {
  if (book.isActive) return;
  // Also when they are here: they stay for a while after they were asked for last.
  requestRows();
  const giveUpMs = Date.now() + GATHER_PATIENCE_MS;
  let askAgainMs = Date.now() + GATHER_AGAIN_MS;
  while (!areRowsHere(book)) {
    if (Date.now() >= giveUpMs) {
      throw new MeshError('UNREACHABLE', 'some rows of this job lie on peers that are away', {
        hint: 'mesh peers',
      });
    }
    if (Date.now() >= askAgainMs) {
      askAgainMs = Date.now() + GATHER_AGAIN_MS;
      requestRows();
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A cancelled job has the rows that it has. */
function areRowsHere({ ledger, header, ending }: JobBook): boolean {
  if (!ledger.released.isEmpty) return false;
  return ending?.state !== 'done' || ledger.present.count === header.taskCount;
}
