// What censuses took for missing, and who had told what by then.
import { IntervalSet, type Interval } from '../../../deque/interval-set.ts';
import type { JobId, PeerId } from '../../ids.ts';
import type { Message } from '../../messages.ts';
import type { Sending, Step } from '../watch.ts';

/** An owner queued what nobody names. */
export interface Finding {
  readonly peer: PeerId;
  readonly atMs: number;
  /** Whose answer it had, and when that was given. */
  readonly heard: ReadonlyMap<PeerId, number>;
}

interface Delivery {
  readonly job: JobId;
  readonly life: number | undefined;
  readonly intervals: readonly Interval[];
}

interface Kept {
  readonly peer: PeerId;
  readonly atMs: number;
  readonly tasks: IntervalSet;
}

interface Taken extends Kept {
  readonly life: string;
}

export class Findings {
  readonly #of = new Map<JobId, Finding[]>();
  /** Who answered the newest round, by who asked and for which job. */
  readonly #answers = new Map<string, { census: number; heard: Map<PeerId, number> }>();
  readonly #lives = new Map<PeerId, number>();
  /** When answers of the newest rounds left, by who gave them to whom. */
  readonly #given = new Map<string, number>();
  /** Rows on their way, by who sent them to whom. */
  readonly #deliveries = new Map<string, Delivery>();
  /** Rows that a peer said are on its disk, and since when. */
  readonly #kept = new Map<JobId, Kept[]>();
  /** Rows that a life took, which are on their way to its disk, and lives whose disk refused something. */
  readonly #taken = new Map<JobId, Taken[]>();
  readonly #refusing = new Set<string>();

  sent({ atMs, from, to, message }: Sending): void {
    if (message.kind === 'rows' && message.batch.kind === 'rows') {
      const { job, delivery } = message;
      const key = `${from}>${to} ${delivery}`;
      const life = this.#lives.get(from);
      const before = this.#deliveries.get(key);
      // Each life counts from one: whose delivery was kept cannot be told.
      const isClear = before === undefined || before.life === life;
      const intervals = isClear ? message.batch.intervals : [];
      this.#deliveries.set(key, { job, life, intervals });
    } else if (message.kind === 'census') {
      this.#asked(from, message.job, message.census);
    } else if (message.kind === 'censusAnswer') {
      // Asked twice it answers twice, and the first answer is there first.
      const key = `${from}>${to} ${message.job}`;
      if (!this.#given.has(key)) this.#given.set(key, atMs);
    } else if (message.kind === 'rowsKept') {
      const delivered = this.#deliveries.get(`${to}>${from} ${message.delivery}`);
      if (delivered === undefined) return;
      const known = this.#kept.get(delivered.job) ?? [];
      const tasks = IntervalSet.from(delivered.intervals);
      known.push({ peer: from, atMs, tasks });
      this.#kept.set(delivered.job, known);
    }
  }

  #asked(from: PeerId, job: JobId, census: number): void {
    const key = `${from} ${job}`;
    if (this.#answers.get(key)?.census === census) return;
    this.#answers.set(key, { census, heard: new Map() });
    for (const given of this.#given.keys())
      if (given.endsWith(`>${key}`)) this.#given.delete(given);
  }

  stepped({ atMs, peer, incarnation, input, outputs, core }: Step): void {
    if (this.#lives.get(peer) !== incarnation) {
      this.#lives.set(peer, incarnation);
      for (const key of this.#answers.keys())
        if (key.startsWith(`${peer} `)) this.#answers.delete(key);
    }
    if (input.kind === 'persistFailed') this.#refusing.add(`${peer}/${incarnation}`);
    if (input.kind === 'messageReceived')
      this.#took({ atMs, peer, incarnation, core }, input.from, input.message);
    if (input.kind === 'messageReceived' && input.message.kind === 'censusAnswer') {
      const { job, census } = input.message;
      const round = this.#answers.get(`${peer} ${job}`);
      const givenMs = this.#given.get(`${input.from}>${peer} ${job}`);
      if (round?.census === census) round.heard.set(input.from, givenMs ?? atMs);
    }
    for (const output of outputs) {
      if (output.kind !== 'log' || !output.text.includes('run again')) continue;
      const job = output.fields['job'] as JobId;
      // A round that can ask nobody begins without a word, and whom it does not hear was heard by an earlier one.
      const live = core.status(0).peers.filter(({ state }) => state === 'ok');
      const heard = new Map<PeerId, number>();
      for (const [from, givenMs] of this.#answers.get(`${peer} ${job}`)?.heard ?? [])
        if (live.some(({ face }) => face.peer === from)) heard.set(from, givenMs);
      this.#of.set(job, [...this.of(job), { peer, atMs, heard }]);
    }
  }

  #took(
    { atMs, peer, incarnation, core }: Pick<Step, 'atMs' | 'peer' | 'incarnation' | 'core'>,
    from: PeerId,
    message: Message,
  ): void {
    if (message.kind !== 'rows' || message.batch.kind !== 'rows') return;
    const { batch, job } = message;
    // Of a job, or from a peer, that it does not know it takes none.
    const { jobs, peers } = core.status(0);
    if (jobs.every(({ header }) => header.job !== job)) return;
    if (peers.every(({ face }) => face.peer !== from)) return;
    const taken = this.#taken.get(job) ?? [];
    const life = `${peer}/${incarnation}`;
    taken.push({ peer, life, atMs, tasks: IntervalSet.from(batch.intervals) });
    this.#taken.set(job, taken);
  }

  of(job: JobId): readonly Finding[] {
    return this.#of.get(job) ?? [];
  }

  /** Whether another owner, as there are for a while after a loss, found the same after it had answered. */
  hasCrossed(job: JobId, { atMs, heard }: Finding, owner: PeerId): boolean {
    const givenMs = heard.get(owner) ?? Infinity;
    return this.of(job).some(
      (other) => other.peer === owner && other.atMs >= givenMs && other.atMs <= atMs,
    );
  }

  /** Whether somebody whose answer it had had said before that the row of that task is on its disk, or had taken it to
   * write it there. */
  isOfKept({ heard }: Finding, job: JobId, task: number): boolean {
    const known = this.#kept.get(job) ?? [];
    const isTold = ({ peer, atMs, tasks }: Kept): boolean =>
      atMs < (heard.get(peer) ?? 0) && tasks.has(task);
    const taken = (this.#taken.get(job) ?? []).filter(
      ({ peer, life }) => life === `${peer}/${this.#lives.get(peer)}` && !this.#refusing.has(life),
    );
    return known.some(isTold) || taken.some(isTold);
  }
}
