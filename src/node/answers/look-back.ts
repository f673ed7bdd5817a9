// A job that looks back at another one: the segments of its winners and of tasks that stand for all that were tried. The
// winners alone would prove nothing, for they were chosen by the very days that the question is about.
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { TaskRunner } from '../../kernel/job.ts';
import type { BacktestSpec } from '../../kernel/spec.ts';
import { segmentsOf } from '../../kernel/segments.ts';
import type { JobId } from '../../stealing/ids.ts';
import type { JobBook } from '../../stealing/job-book.ts';
import { isFailedRow } from '../../stealing/ledger.ts';
import type { SegmentsView } from '../control/segments-api.ts';
import { MeshError } from '../errors.ts';
import type { PeerPorts } from './peer-ports.ts';
import { bestRows } from './rows.ts';
import { winnersQuery } from './summary.ts';

/** Tasks that stand for all. More are each backtested once more, and compared in all 12,870 halves by the command that
 * asked: some milliseconds a task. Fewer tell the probability of overfitting less surely. A guess. */
const DRAWN_MAX = 500;
/** Rows between two turns for everybody else. */
const ROWS_PER_TURN = 65_536;

/** `book` has ended, with its rows in memory. The same question again is answered by the same job. */
export async function lookBack(
  book: JobBook,
  ports: PeerPorts,
  shown: (job: JobId) => string,
): Promise<SegmentsView> {
  const { header, ledger } = book;
  const runner = await ports.runner(book);
  const spec = await ports.spec(header);
  if (spec.kernel !== 'backtest' || spec.segments !== undefined) {
    throw new MeshError('USAGE', 'only backtests can be overfit: this job has none');
  }
  const query = { ...winnersQuery(runner), rankBy: runner.rankBy };
  const best = await bestRows(ledger, ledger.present, runner.columns, query);
  if (best.tasks.length === 0) {
    throw new MeshError('NOT_FOUND', 'the job has no winners: no task passes its filter', {
      hint: `mesh results ${header.name} --top 5 --sort trades`,
    });
  }
  const { trials, drawn } = await trialsOf(book, runner);
  const of = [...new Set([...best.tasks, ...drawn])];
  const file = await segmentsFile(spec, of);
  const segments = segmentsOf(spec);
  const taskCount = of.length * segments;
  const segmentsJob =
    earlierJob(book, ports.books(), { sha256: file.sha256, taskCount }) ??
    (await submit(book, ports, file, taskCount));
  return {
    v: 1,
    job: shown(header.job),
    segmentsJob: shown(segmentsJob),
    segments,
    of,
    winners: best.tasks.length,
    drawn,
    trials,
  };
}

/** `taskCount` too, for any member writes headers: a job that claims more tasks than its file has would never end. */
function earlierJob(
  { header }: JobBook,
  books: Iterable<JobBook>,
  { sha256, taskCount }: { readonly sha256: string; readonly taskCount: number },
): JobId | undefined {
  for (const { header: other, ending } of books) {
    const isSame =
      other.about === header.job && other.spec.sha256 === sha256 && other.taskCount === taskCount;
    if (isSame && ending?.state !== 'cancelled') return other.job;
  }
  return undefined;
}

interface SegmentsFile {
  readonly sha256: string;
  readonly bytes: Uint8Array;
}

async function submit(
  { header }: JobBook,
  ports: PeerPorts,
  { sha256, bytes }: SegmentsFile,
  taskCount: number,
): Promise<JobId> {
  await ports.putBlob(sha256, [bytes]);
  const { job } = await ports.submit({
    name: `segments of ${header.name}`,
    kernel: 'backtest',
    spec: { sha256, bytes: bytes.byteLength },
    datasets: header.datasets,
    taskCount,
    about: header.job,
  });
  return job;
}

async function segmentsFile(whole: BacktestSpec, of: readonly number[]): Promise<SegmentsFile> {
  const { SPEC_BYTES_MAX, writeSpec } = await import('../jobfile/spec-blob.ts');
  const bytes = writeSpec({ ...whole, filter: undefined, keep: undefined, segments: { of } });
  if (bytes.byteLength > SPEC_BYTES_MAX) {
    throw new MeshError('USAGE', 'the job file is too long to look back at so many winners', {
      hint: '"keep" in the job file says how many they are',
    });
  }
  return { sha256: createHash('sha256').update(bytes).digest('hex'), bytes };
}

/** One pass over all rows, in the order of the tasks. */
async function trialsOf(
  { header, ledger }: JobBook,
  { columns }: TaskRunner,
): Promise<Pick<SegmentsView, 'trials' | 'drawn'>> {
  const { taskCount } = header;
  const width = columns.length;
  const row = new Float64Array(width);
  const at = columns.indexOf('sharpe');
  const drawn: number[] = [];
  let ranked = 0;
  let mean = 0;
  let squares = 0;
  for (let task = 0; task < taskCount; task++) {
    if (task % ROWS_PER_TURN === ROWS_PER_TURN - 1) await setImmediate();
    ledger.readRow(task, row, 0);
    const isDrawn = Math.floor((drawn.length * taskCount) / DRAWN_MAX) <= task;
    if (isDrawn && drawn.length < DRAWN_MAX && !isFailedRow(row, 0, width)) drawn.push(task);
    const sharpe = row[at] ?? Number.NaN;
    if (Number.isNaN(sharpe)) continue;
    // Welford's way, so that a million of them lose no digits.
    ranked++;
    const before = sharpe - mean;
    mean += before / ranked;
    squares += before * (sharpe - mean);
  }
  const sharpeVariance = ranked > 1 ? squares / (ranked - 1) : 0;
  return { trials: { tasks: taskCount, ranked, sharpeVariance }, drawn };
}
