// S6 with faults: a task runs again only for a reason. Each peer that had the task had it from somewhere: it submitted
// it, was given it, or found it missing in a census. A census may find what somebody has only if that peer was in
// trouble since it got it, or did not answer and one of the two was in trouble lately; never what somebody who answered
// has on its disk, or on the way there. A peer may have again what it gave away only if one of the two was in trouble since. Each of these, and
// each copy, explains one run. So of peers to which nothing happened no task is ever taken for lost, whatever happens to
// others, and where no fault touches any peer nothing but copies runs twice.
import type { JobId } from '../../ids.ts';
import { DEFAULT_LIMITS } from '../../limits.ts';
import type { Scenario } from '../scenario.ts';
import type { Check, Execution, JobTruth, Step } from '../watch.ts';
import { type Finding, Findings } from './findings.ts';
import { type Handing, Handings, type Stay } from './handings.ts';
import { Troubles } from './troubles.ts';

export function onlyTroubleRunsTwice(
  scenario: Scenario,
  truths: (job: JobId) => JobTruth | undefined,
): Check {
  const judge = new Judge(scenario, truths);
  return {
    name: 'S6 a task runs again only where a fault touched it',
    sent(sending): undefined {
      judge.handings.sent(sending);
      judge.findings.sent(sending);
    },
    stepped: (step) => judge.stepped(step),
    ran(execution: Execution): string | undefined {
      const { job, peer } = execution;
      const again = judge.runs.add(execution);
      // An audit runs rows again, and what a liar made.
      if (truths(job)?.header.audit !== undefined) return undefined;
      for (const task of again) {
        const times = judge.runs.of(job, task).length;
        const most = 1 + judge.explained(job, task);
        if (times > most)
          return `${peer} runs task ${task} for the ${times}. time; what happened explains ${most}`;
      }
      return undefined;
    },
  };
}

class Judge {
  readonly runs = new Runs();
  readonly handings = new Handings();
  readonly findings = new Findings();
  readonly #truths: (job: JobId) => JobTruth | undefined;
  readonly #troubles: Troubles;
  /** ms after a trouble of its own in which a peer may not know others, nor they it. */
  readonly #lagMs: number;

  constructor(scenario: Scenario, truths: (job: JobId) => JobTruth | undefined) {
    this.#truths = truths;
    this.#troubles = new Troubles(scenario);
    const { lostMs, reviveWaitMs } = scenario.limits ?? DEFAULT_LIMITS;
    this.#lagMs = lostMs + reviveWaitMs;
  }

  stepped(step: Step): undefined {
    this.#troubles.look(step.world);
    this.handings.stepped(step);
    this.findings.stepped(step);
  }

  /** How many runs beside the first one have a reason. */
  explained(job: JobId, task: number): number {
    const findings = this.findings.of(job);
    const { submitter, submittedAtMs: atMs = 0 } = this.#truths(job) ?? {};
    const sources = submitter === undefined ? findings : [{ peer: submitter, atMs }, ...findings];
    const stays = this.handings.staysOf({ job, task }, this.runs.of(job, task), sources);
    const lost = findings.filter(
      (finding) =>
        stays.some(({ peer, fromMs }) => peer === finding.peer && fromMs === finding.atMs) &&
        !this.findings.isOfKept(finding, job, task) &&
        stays.some((stay) => this.#wasLost(job, stays, { stay, finding })),
    );
    const back = this.handings
      .of(job, task)
      .filter((handing) => handing.isCopy || this.#cameBack(task, stays, handing));
    return lost.length + back.length;
  }

  /** Whether a census could not know of a peer that had the task then, and from which it went on. */
  #wasLost(
    job: JobId,
    stays: readonly Stay[],
    { stay, finding }: { readonly stay: Stay; readonly finding: Finding },
  ): boolean {
    const { peer, atMs, heard } = finding;
    const isThere = stay.fromMs <= atMs && atMs <= stay.letGoMs;
    if (!isThere || (stay.peer === peer && stay.fromMs === atMs)) return false;
    if (!stay.hasRun && stay.untilMs < atMs) return false;
    const isFound = stay.giver === undefined;
    if (isFound && this.findings.hasCrossed(job, finding, stay.peer)) {
      // Both look for what somebody lost who had it before, and may have come to nothing with it.
      const submitters = [this.#truths(job)?.submitter ?? stay.peer];
      const before = [...submitters, ...stays.map((other) => other.peer)].map((owner) => ({
        peer: owner,
        fromMs: 0,
        untilMs: atMs,
      }));
      return this.#troubles.touching(before) > 0;
    }
    const givers = stays.filter((other) => other.untilMs === stay.fromMs && other.letGoMs >= atMs);
    const holders = [stay, ...givers.filter((other) => other.peer === stay.giver)];
    return holders.some((holder) => {
      const touched = [{ ...holder, untilMs: atMs }];
      if (!heard.has(holder.peer)) {
        // The two may not have met, or not again.
        const lately = { fromMs: Math.min(holder.fromMs, atMs - this.#lagMs), untilMs: atMs };
        touched.push({ ...holder, ...lately }, { ...holder, ...lately, peer });
      }
      return this.#troubles.touching(touched) > 0;
    });
  }

  /** Whether who gave the task away had it still, or again, and a reason to think that it did not arrive. */
  #cameBack(task: number, stays: readonly Stay[], handing: Handing): boolean {
    const { from, to, job, sentMs } = handing;
    const went = [
      ...this.handings.of(job, task).map((other) => ({ peer: other.from, atMs: other.sentMs })),
      ...this.runs.of(job, task).map(({ peer, startedMs }) => ({ peer, atMs: startedMs })),
    ];
    const next = went.filter(({ peer, atMs }) => peer === from && atMs > sentMs);
    const untilMs = Math.min(...next.map(({ atMs }) => atMs));
    const isNew = stays.some(
      ({ peer, fromMs }) => peer === from && fromMs > sentMs && fromMs <= untilMs,
    );
    if (next.length === 0 || isNew) return false;
    const both = [to, from].map((peer) => ({ peer, fromMs: sentMs, untilMs }));
    return this.#troubles.touching(both) > 0;
  }
}

/** Every execution of every task. */
class Runs {
  readonly #runs = new Map<JobId, Map<number, Execution[]>>();

  /** Returns which of its tasks ran before. */
  add(execution: Execution): number[] {
    const ofJob = this.#runs.get(execution.job) ?? new Map<number, Execution[]>();
    this.#runs.set(execution.job, ofJob);
    const again: number[] = [];
    for (const [start, end] of execution.intervals) {
      for (let task = start; task < end; task++) {
        const before = ofJob.get(task);
        if (before === undefined) ofJob.set(task, [execution]);
        else {
          before.push(execution);
          again.push(task);
        }
      }
    }
    return again;
  }

  of(job: JobId, task: number): readonly Execution[] {
    return this.#runs.get(job)?.get(task) ?? [];
  }
}
