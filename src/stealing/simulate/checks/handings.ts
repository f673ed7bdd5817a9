// Which way a task went from peer to peer, as the grants tell that were sent.
import type { Interval } from '../../../deque/interval-set.ts';
import type { JobId, PeerId } from '../../ids.ts';
import type { Execution, Sending, Step } from '../watch.ts';

/** A grant, as its sender sees it. */
export interface Handing {
  readonly from: PeerId;
  readonly to: PeerId;
  readonly job: JobId;
  readonly intervals: readonly Interval[];
  readonly sentMs: number;
  /** The sender goes on with it. */
  readonly isCopy: boolean;
  /** When its sender learned that the other side has it. */
  confirmedMs: number;
}

/** A peer had a task, from one source. */
export interface Stay {
  readonly peer: PeerId;
  readonly fromMs: number;
  /** When it gave the task away, or began to run it; infinity: neither. */
  readonly untilMs: number;
  /** Until then it answers for the task; infinity: it ran it, or nobody confirmed to have it. */
  readonly letGoMs: number;
  readonly hasRun: boolean;
  /** Who gave it, from the view of who had it there. */
  readonly giver: PeerId | undefined;
}

/** How a peer came to a task. */
export interface Source {
  readonly peer: PeerId;
  readonly atMs: number;
}

export class Handings {
  readonly #all = new Map<JobId, Handing[]>();
  readonly #byNumber = new Map<string, Handing>();
  readonly #lives = new Map<PeerId, number>();

  sent({ atMs, from, to, message }: Sending): void {
    if (message.kind !== 'grant' || message.again === true) return;
    const { grant, batches, copy = false } = message;
    const key = this.#keyOf(from, to, grant);
    if (this.#byNumber.has(key)) return;
    for (const { job, intervals } of batches) {
      const known = this.#all.get(job) ?? [];
      this.#all.set(job, known);
      const parties = { from, to, job, intervals };
      const handing = { ...parties, sentMs: atMs, isCopy: copy, confirmedMs: Infinity };
      known.push(handing);
      this.#byNumber.set(key, handing);
    }
  }

  stepped({ atMs, peer, incarnation, input }: Step): void {
    this.#lives.set(peer, incarnation);
    if (input.kind !== 'messageReceived' || input.message.kind !== 'grantConfirmed') return;
    const handing = this.#byNumber.get(this.#keyOf(peer, input.from, input.message.grant));
    if (handing !== undefined) handing.confirmedMs = Math.min(handing.confirmedMs, atMs);
  }

  of(job: JobId, task: number): Handing[] {
    const known = this.#all.get(job) ?? [];
    return known.filter(({ intervals }) =>
      intervals.some(([start, end]) => start <= task && task < end),
    );
  }

  /** Everybody who had the task: given by others, or from `sources`, of which those count that came to something. */
  staysOf(
    { job, task }: { readonly job: JobId; readonly task: number },
    runs: readonly Execution[],
    sources: readonly Source[],
  ): Stay[] {
    const handings = this.of(job, task);
    const stayFrom = ({ peer, atMs }: Source, giver: PeerId | undefined): Stay => {
      const ran = runs.find((run) => run.peer === peer && run.startedMs >= atMs);
      const given = handings.find(
        ({ from, sentMs, isCopy }) => from === peer && sentMs >= atMs && !isCopy,
      );
      const [ranMs, givenMs] = [ran?.startedMs ?? Infinity, given?.sentMs ?? Infinity];
      const untilMs = Math.min(ranMs, givenMs);
      const hasRun = ranMs <= givenMs && ran !== undefined;
      const letGoMs = hasRun ? Infinity : (given?.confirmedMs ?? Infinity);
      return { peer, fromMs: atMs, untilMs, letGoMs, hasRun, giver };
    };
    const own = sources
      .map((source) => stayFrom(source, undefined))
      .filter(({ untilMs }) => untilMs < Infinity);
    return [
      ...own,
      ...handings.map(({ from, to, sentMs }) => stayFrom({ peer: to, atMs: sentMs }, from)),
    ];
  }

  /** Each life of a peer numbers its grants from one. */
  #keyOf(from: PeerId, to: PeerId, grant: number): string {
    return `${from}/${this.#lives.get(from)}>${to} ${grant}`;
  }
}
