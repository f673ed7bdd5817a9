// The demo's job while it runs: follows it at its submitter, counts its rows, samples everybody's speed, and takes
// a peer away that holds enough of the work to be missed.
import { setTimeout as delay } from 'node:timers/promises';
import type { JobEvent, JobSummary } from '../control/api.ts';
import { DEFAULT_LIMITS } from '../../stealing/limits.ts';
import { submitPrepared } from '../control/submission.ts';
import { MeshError } from '../errors.ts';
import type { PreparedJob } from '../jobfile/prepare.ts';
import { RowTally, SpeedIntegral } from './observed.ts';
import type { Screen } from './screen.ts';
import type { Actor } from './stage.ts';
import { HELD_SHARE_MIN, type PeerFacts } from './verdict.ts';

/** A peer dies when this much of the job is done: late enough to see it work, early enough to be missed. */
const KILL_DONE_MIN = 0.25;
/** ms between two looks at the queues. */
const LOOK_MS = 50;
/** ms between two samples of the speeds: an average over 3 s hardly bends in between. */
const SAMPLE_MS = 250;

export interface Killed {
  readonly id: string;
  /** Backtests in its queue just before. */
  readonly held: number;
}

export interface Crew {
  readonly actors: readonly Actor[];
  readonly submitter: Actor;
}

export class RunningJob {
  readonly id: string;
  readonly rows: RowTally;
  readonly summary: Promise<JobSummary>;
  readonly #actors: readonly Actor[];
  readonly #submitter: Actor;
  readonly #screen: Screen;
  readonly #taskCount: number;
  readonly #speeds: SpeedIntegral;
  readonly #alive: Set<string>;
  #killed: string | undefined;
  #hasEnded = false;

  static async submit(
    job: PreparedJob,
    crew: Crew,
    screen: Screen,
    signal: AbortSignal,
  ): Promise<RunningJob> {
    // Work starts before the submitter has the id.
    // A job that begins keeps little of the average before it.
    const { rateMemoryMs: memoryMs, ratePriorMs } = DEFAULT_LIMITS;
    const memory = { memoryMs, bornMs: performance.now() - ratePriorMs };
    const speeds = new SpeedIntegral(memory, await ratesOf(crew.actors), performance.now());
    const { job: id } = await submitPrepared(crew.submitter.client, job);
    return new RunningJob({ id, taskCount: job.taskCount, speeds }, crew, screen, signal);
  }

  private constructor(
    job: { readonly id: string; readonly taskCount: number; readonly speeds: SpeedIntegral },
    crew: Crew,
    screen: Screen,
    signal: AbortSignal,
  ) {
    this.id = job.id;
    this.#taskCount = job.taskCount;
    this.#speeds = job.speeds;
    this.rows = new RowTally(job.taskCount);
    this.#actors = crew.actors;
    this.#submitter = crew.submitter;
    this.#screen = screen;
    this.#alive = new Set(crew.actors.map((actor) => actor.id));
    this.summary = this.#follow(signal);
  }

  /** Each peer's part of the speed that was there while the job ran. */
  peers(): PeerFacts[] {
    return this.#actors.map(({ id, role }) => ({
      id,
      name: role.name,
      slots: 1,
      speedShare: this.#speeds.shareOf(id),
    }));
  }

  /** Kills the peer with the longest queue, not the submitter. Undefined: none had enough before the job ended. */
  async killTheLoaded(
    kill: (actor: Actor) => Promise<void>,
    signal: AbortSignal,
  ): Promise<Killed | undefined> {
    while (!this.#hasEnded) {
      await delay(LOOK_MS, undefined, { signal });
      if ((await this.#doneNow()) < KILL_DONE_MIN * this.#taskCount) continue;
      const { actor, held } = await this.#mostLoaded();
      if (held <= HELD_SHARE_MIN * this.#taskCount) continue;
      await this.#sample();
      await kill(actor);
      this.#alive.delete(actor.id);
      this.#killed = actor.id;
      const part = `${((held / this.#taskCount) * 100).toFixed(1)}% of the job`;
      this.#screen.say(`✂ ${actor.role.name} is killed (SIGKILL) with ${part} in its queue`);
      return { id: actor.id, held };
    }
    return undefined;
  }

  /** Asked for: the events come behind all rows, and on a busy machine these come seconds late. */
  async #doneNow(): Promise<number> {
    const { jobs } = await this.#submitter.client.jobs();
    return jobs.find(({ id }) => id === this.id)?.done ?? 0;
  }

  async #mostLoaded(): Promise<{ readonly actor: Actor; readonly held: number }> {
    const others = this.#actors.filter((actor) => actor !== this.#submitter);
    const loads = await Promise.all(
      others.map(async (actor) => ({ actor, held: await queueOf(actor) })),
    );
    return loads.reduce((most, load) => (load.held > most.held ? load : most));
  }

  async #follow(signal: AbortSignal): Promise<JobSummary> {
    const { client } = this.#submitter;
    const { promise, resolve, reject } = Promise.withResolvers<JobSummary>();
    const stop = await client.watch(this.id, { rows: true, top: 1 }, (event) => {
      if (event.kind === 'ended') resolve(event.summary);
      else if (event.kind === 'broken') reject(new MeshError('INTERNAL', event.reason));
      else this.#hear(event);
    });
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    const sampler = setInterval(() => void this.#sample(), SAMPLE_MS);
    try {
      const summary = await promise;
      await this.#sample();
      return summary;
    } finally {
      this.#hasEnded = true;
      clearInterval(sampler);
      signal.removeEventListener('abort', onAbort);
      stop();
    }
  }

  #hear(event: Exclude<JobEvent, { kind: 'ended' | 'broken' }>): void {
    if (event.kind === 'rows') {
      this.rows.add(event.tasks);
      return;
    }
    // In the order in which they were introduced, whatever the order of their ids.
    const peers = this.#actors.flatMap(({ id }) => event.peers.filter((peer) => peer.id === id));
    this.#screen.progress({ ...event, peers }, this.#killed);
  }

  async #sample(): Promise<void> {
    const rates = await ratesOf(this.#actors.filter(({ id }) => this.#alive.has(id)));
    if (!this.#hasEnded) this.#speeds.sample(rates, performance.now());
  }
}

/** Units per ms, as each says of itself; nothing of one that does not answer. */
async function ratesOf(actors: readonly Actor[]): Promise<ReadonlyMap<string, number>> {
  const told = await Promise.all(
    actors.map(async ({ id, client }) => {
      const view = await client.peers().catch(() => undefined);
      const rate = view?.peers.find((peer) => peer.id === id)?.rate;
      return rate === undefined ? [] : [[id, rate] as const];
    }),
  );
  return new Map(told.flat());
}

/** As the peer itself says: nobody else knows it to the last backtest. */
async function queueOf({ id, client }: Actor): Promise<number> {
  const { peers } = await client.peers();
  return peers.find((peer) => peer.id === id)?.queued ?? 0;
}
