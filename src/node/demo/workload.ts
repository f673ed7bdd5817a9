// The demo's job: the example of real daily candles with a finer grid, as fine as the time that is wanted asks for.
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { decodeCandles } from '../../kernel/candles.ts';
import { compileJob } from '../../kernel/compile.ts';
import type { TaskRunner } from '../../kernel/job.ts';
import { MeshError } from '../errors.ts';
import { exampleFile } from '../example.ts';
import { formatProblems, type PreparedJob, prepareJob } from '../jobfile/prepare.ts';

/** Stop losses of the grid, ends included; how many between them decides the number of backtests. */
const STOP_LOSS = { from: 0.02, to: 0.1 };
const STEPS_MIN = 2;
/** Backtests at most: their rows lie on two disks, 160 bytes each. */
const TASKS_MAX = 600_000;

export class Workload {
  readonly #file: string;
  readonly #example: Readonly<Record<string, unknown>>;

  private constructor(file: string, example: Readonly<Record<string, unknown>>) {
    this.#file = file;
    this.#example = example;
  }

  static async open(): Promise<Workload> {
    const file = exampleFile('aapl.json');
    return new Workload(file, JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>);
  }

  /** The job with about `tasks` backtests. */
  async sized(name: string, tasks: number): Promise<PreparedJob> {
    const [few, more] = await Promise.all([
      this.#withSteps(name, STEPS_MIN),
      this.#withSteps(name, STEPS_MIN + 1),
    ]);
    const perStep = more.taskCount - few.taskCount;
    const wanted = Math.min(TASKS_MAX, tasks) - few.taskCount;
    const steps = STEPS_MIN + Math.max(0, Math.round(wanted / perStep));
    return this.#withSteps(name, steps);
  }

  /** As a miner's generation: `population` strategies that no other generation has. */
  async generation(population: number, generation: number): Promise<PreparedJob> {
    const strategies = Array.from({ length: population }, (_, at) => ({
      name: `g${generation}-${at}`,
      long: {
        enter: [`rsi(${5 + (at % 20)}) < ${25 + at / population}`, 'close > sma(100)'],
        exit: [`rsi(${5 + (at % 20)}) > ${60 + generation}`],
      },
      stopLoss: 0.02 + Math.random() / 100,
    }));
    const { vars: _, ...rest } = this.#example;
    return this.#prepare({ ...rest, name: `bench ${population}`, strategies });
  }

  /** As fine as it gets: for a job that is meant to be cancelled. */
  endless(name: string): Promise<PreparedJob> {
    return this.sized(name, TASKS_MAX);
  }

  #withSteps(name: string, steps: number): Promise<PreparedJob> {
    return this.#prepare({ ...this.#example, name, vars: { sl: { ...STOP_LOSS, count: steps } } });
  }

  async #prepare(job: object): Promise<PreparedJob> {
    const directory = dirname(this.#file);
    const text = JSON.stringify(job);
    const outcome = await prepareJob({
      fileName: this.#file,
      text,
      readFile: (path) => readFile(join(directory, path)),
    });
    if (!outcome.ok) throw new MeshError('BAD_INPUT', formatProblems(outcome.problems));
    return outcome.prepared;
  }
}

/** The same job for one plain loop in this process. */
export function compiled({ spec, datasets }: PreparedJob): TaskRunner {
  const candles = new Map(datasets.map(({ sha256, bytes }) => [sha256, decodeCandles(bytes)]));
  return compileJob(spec, candles);
}
