// The two tests by which an older cluster of two machines was judged, on this mesh: a population, a number of
// generations, each generation submitted when the one before has ended. Once as spin tasks of the old miner's cost
// (100 ms of one core), which show who does how much beside how fast each is; once as real backtests, which show
// the speed, and are often over before a second machine is worth a round trip.
import { prepareJob } from '../jobfile/prepare.ts';
import type { JobSummary } from '../control/api.ts';
import type { ControlHandlers } from '../control/handlers.ts';
import type { Submission } from '../control/submission.ts';
import { Workload } from '../demo/workload.ts';
import { MeshError } from '../errors.ts';
import { runToEnd } from './machine-bench.ts';

/** One candidate's evaluation on the old cluster, ms of one core. */
const OLD_TASK_MS = 100;

export interface ClusterTest {
  readonly kind: 'spin' | 'backtest';
  readonly population: number;
  readonly generations: number;
  readonly tasks: number;
  readonly wallMs: number;
  readonly perSec: number;
  /** Of the peers that were there, the busiest first. `speed`: share of the rates that were measured. */
  readonly peers: readonly {
    readonly name: string;
    readonly slots: number;
    readonly done: number;
    readonly share: number;
    readonly speed: number;
  }[];
  /** Every generation stayed on the machine where it was submitted, because the way there would have taken longer. */
  readonly isTooShort: boolean;
}

const OLD_TESTS = [
  { population: 10, generations: 5 },
  { population: 100, generations: 10 },
] as const;

export async function runClusterTests(
  peer: ControlHandlers,
  say: (text: string) => void,
): Promise<readonly ClusterTest[]> {
  const workload = await Workload.open();
  const tests: ClusterTest[] = [];
  for (const { population, generations } of OLD_TESTS) {
    for (const kind of ['spin', 'backtest'] as const) {
      say(
        `population ${population}, ${generations} generations, ${kind === 'spin' ? 'spin' : 'real backtests'} …`,
      );
      const summaries: JobSummary[] = [];
      const fromMs = performance.now();
      for (let generation = 0; generation < generations; generation++) {
        const job =
          kind === 'spin'
            ? await spinJob(population, generation)
            : await workload.generation(population, generation);
        summaries.push(await runToEnd(peer, job));
      }
      tests.push(testOf({ kind, population, generations }, performance.now() - fromMs, summaries));
    }
  }
  return tests;
}

async function spinJob(tasks: number, generation: number): Promise<Submission> {
  const job = {
    version: 1,
    kernel: 'spin',
    tasks,
    costMs: OLD_TASK_MS,
    mode: 'spin',
    seed: generation,
  };
  const prepared = await prepareJob({
    fileName: `bench ${tasks} spin`,
    text: JSON.stringify(job),
    readFile: () => Promise.reject(new Error('spin reads no file')),
  });
  if (!prepared.ok) throw new MeshError('INTERNAL', 'the spin job is not accepted');
  return prepared.prepared;
}

export function testOf(
  test: Pick<ClusterTest, 'kind' | 'population' | 'generations'>,
  wallMs: number,
  summaries: readonly JobSummary[],
): ClusterTest {
  const tasks = summaries.reduce((sum, { done }) => sum + done, 0);
  const byPeer = new Map<string, { name: string; slots: number; done: number; rate: number }>();
  for (const { peers } of summaries) {
    for (const { id, name, slots, done, rate } of peers) {
      const known = byPeer.get(id);
      byPeer.set(id, {
        name,
        slots,
        done: (known?.done ?? 0) + done,
        rate: rate || (known?.rate ?? 0),
      });
    }
  }
  const all = [...byPeer.values()];
  const rates = all.reduce((sum, { rate }) => sum + rate, 0);
  const peers = all
    .map(({ rate, ...peer }) => ({
      ...peer,
      share: tasks > 0 ? peer.done / tasks : 0,
      speed: rates > 0 ? rate / rates : 0,
    }))
    .toSorted((a, b) => b.done - a.done);
  const isTooShort = peers.length > 1 && peers.filter(({ done }) => done > 0).length === 1;
  return { ...test, tasks, wallMs, perSec: (tasks / wallMs) * 1000, peers, isTooShort };
}
