// mesh demo: several peers as processes of this computer, fast and slow, without a head. They run real backtests, one
// of them is killed in the middle, and at the end everything that was claimed is checked against a plain loop.
import { availableParallelism } from 'node:os';
import { type Interrupt, Interrupts } from '../cli/interrupts.ts';
import { formatCount } from '../cli/output/format.ts';
import type { Terminal } from '../cli/output/terminal.ts';
import { MeshError } from '../errors.ts';
import { castFor, SUBMITTER } from './cast.ts';
import { measureSpeed } from './measure-speed.ts';
import { plainLoopSha256 } from './plain-loop.ts';
import { RunningJob } from './running-job.ts';
import { Screen } from './screen.ts';
import { type Actor, Stage } from './stage.ts';
import { type DemoReport, judge, SHARE_POINTS_MAX } from './verdict.ts';
import { compiled, Workload } from './workload.ts';

export interface DemoOptions {
  /** For CI: a shorter job, no animation. */
  readonly fast: boolean;
  readonly screen: Terminal;
}

export interface DemoOutcome {
  /** Exit status. */
  readonly status: number;
  /** Undefined: interrupted before the end. */
  readonly report?: DemoReport;
}

/** ms that the job is to take at the speed just measured. With two cores it takes up to twice as long: the plain loop
 * needs one. */
const JOB_MS = 7_000;
const JOB_FAST_MS = 3_000;
/** ms for everything: a machine on which this is not enough is too busy to show anything. */
const DEMO_MS_MAX = 180_000;

/** `status` is not 0 when anything that the demo claims did not come true. Leaves no process and no file behind. */
export async function runDemo({ fast, screen: terminal }: DemoOptions): Promise<DemoOutcome> {
  const interrupts = new Interrupts();
  const over = new AbortController();
  const late = setTimeout(() => over.abort(tooLate()), DEMO_MS_MAX);
  const stage = await Stage.open();
  const screen = new Screen(terminal, { animated: !fast });
  try {
    const { signal } = over;
    const played = play({ stage, screen, signal, fast });
    // After an interrupt its peers are taken from it; what it says then is of no interest.
    played.catch(() => {});
    const outcome = await Promise.race<DemoReport | Interrupt>([played, interrupts.first]);
    if ('by' in outcome) {
      if (outcome.by !== 'pipe') screen.say('stopped; nothing of the demo is left');
      return { status: outcome.exit };
    }
    screen.report(outcome);
    return { status: outcome.ok ? 0 : 1, report: outcome };
  } finally {
    clearTimeout(late);
    over.abort();
    screen.clear();
    await stage.close();
    interrupts.remove();
  }
}

interface Play {
  readonly stage: Stage;
  readonly screen: Screen;
  readonly signal: AbortSignal;
  readonly fast: boolean;
}

async function play({ stage, screen, signal, fast }: Play): Promise<DemoReport> {
  const roles = castFor(availableParallelism());
  screen.opening(roles);
  const [workload, actors] = await Promise.all([Workload.open(), stage.assemble(roles)]);
  const names = actors.map(({ role }) => role.name).join(', ');
  screen.good(`${names} found each other; none of them is a head`);

  const submitter = actorNamed(actors, SUBMITTER);
  const perSec = await measureSpeed(submitter.client, workload, signal);
  screen.good(`measured: ${formatCount(perSec)} backtests per second, all together`);

  const jobMs = fast ? JOB_FAST_MS : JOB_MS;
  const prepared = await workload.sized('demo', (perSec * jobMs) / 1000);
  const runner = compiled(prepared);
  const crew = { actors, submitter };
  const job = await RunningJob.submit(prepared, crew, screen, signal);
  const count = formatCount(prepared.taskCount);
  screen.say(`job ${job.id}, submitted on ${SUBMITTER}: ${count} backtests of AAPL, 2013-2018`);
  const killing = job.killTheLoaded((actor) => stage.kill(actor), signal);
  const [loopSha256, summary, killed] = await Promise.all([
    // Not before: the loop takes a core, and turns of this process, from a kill that must not come too late.
    killing.then(() => plainLoopSha256(runner, signal)),
    job.summary.then((ended) => {
      screen.good('the job has ended; one plain loop over the same backtests checks it');
      return ended;
    }),
    killing,
  ]);
  const sharePointsMax = fast ? SHARE_POINTS_MAX.fast : SHARE_POINTS_MAX.full;
  const facts = { summary, killed, loopSha256, rows: job.rows, peers: job.peers() };
  return judge({ ...facts, sharePointsMax });
}

function actorNamed(actors: readonly Actor[], name: string): Actor {
  const actor = actors.find(({ role }) => role.name === name);
  if (actor === undefined) throw new MeshError('INTERNAL', `nobody plays ${name}`);
  return actor;
}

function tooLate(): MeshError {
  const seconds = DEMO_MS_MAX / 1000;
  return new MeshError('TIMEOUT', `the demo did not end within ${seconds} s`, {
    hint: 'close what else is busy on this computer and try again',
  });
}
