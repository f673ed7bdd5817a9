// One core under test: facts go in by short methods, orders come out as short lines, so that a test can compare
// the whole list of orders of a fact and nothing extra goes unseen.
import { WindowCursor } from '../../../src/deque/cursor.ts';
import type { Interval } from '../../../src/deque/interval-set.ts';
import { StealingCore } from '../../../src/stealing/core.ts';
import { decodeMessage, encodeMessage } from '../../../src/node/wire/codec.ts';
import { jobId, peerId } from '../../../src/stealing/ids.ts';
import type { Input, PeerFace } from '../../../src/stealing/input.ts';
import type { JobEnding, JobHeader, RowBatch } from '../../../src/stealing/job.ts';
import { DEFAULT_LIMITS, type Limits } from '../../../src/stealing/limits.ts';
import type { Heartbeat, JobProgress, Message } from '../../../src/stealing/messages.ts';
import type { Output } from '../../../src/stealing/output.ts';
import { WorkModel } from '../../../src/stealing/work.ts';

export const ROW_WIDTH = 2;

export function face(name: string, slots = 1, incarnation = 1): PeerFace {
  return { peer: peerId(name), name, addr: `${name}.test:1`, slots, incarnation };
}

export function header(job: string, taskCount: number, submitter = 'a'): JobHeader {
  return {
    job: jobId(job),
    name: job,
    submitter: peerId(submitter),
    submittedAt: '2026-01-01T00:00:00Z',
    taskCount,
    rowWidth: ROW_WIDTH,
    kernel: 'test@1',
    rateKey: 'test',
    spec: { sha256: '0'.repeat(64), bytes: 1 },
    datasets: [],
  };
}

/** The row of a task depends on the task only. */
export function rowsOf(intervals: readonly Interval[], width = ROW_WIDTH): Float64Array {
  const values: number[] = [];
  for (const [start, end] of intervals) {
    for (let task = start; task < end; task++) {
      for (let column = 0; column < width; column++) values.push(task + column / 10);
    }
  }
  return Float64Array.from(values);
}

export function batchOf(maker: string, ...intervals: Interval[]): RowBatch {
  return { kind: 'rows', maker: peerId(maker), intervals, values: rowsOf(intervals) };
}

export function beat(fields: Partial<Heartbeat> = {}): Heartbeat {
  return {
    kind: 'heartbeat',
    sentMs: 0,
    echoSentMs: 0,
    echoAgeMs: 0,
    slots: 1,
    busySlots: 0,
    backlogMs: 0,
    draining: false,
    rates: [],
    jobs: [],
    done: 0,
    failed: 0,
    stole: 0,
    gave: 0,
    donePerSec: 0,
    recentUnits: 0,
    ...fields,
  };
}

export function progress(job: string, heldTasks = 0): JobProgress {
  return {
    job: jobId(job),
    backlogWork: 0,
    heldTasks,
    countedTasks: 0,
    steals: 0,
    messages: 0,
  };
}

export function equalWork(tasks: number, units = 1_000): WorkModel {
  return new WorkModel(tasks === 0 ? [] : [{ tasks, units }]);
}

export function doneEnding(done: number, state: JobEnding['state'] = 'done'): JobEnding {
  return {
    state,
    endedAtMs: 0,
    done,
    failed: 0,
    elapsedMs: 1,
    shares: [],
    steals: 0,
    messages: 0,
    efficiency: { bound: 1, greedy: 1 },
  };
}

export interface RigOptions {
  readonly name?: string;
  readonly slots?: number;
  readonly seeding?: boolean;
  readonly isPart?: boolean;
  readonly limits?: Partial<Limits>;
}

export class Rig {
  readonly core: StealingCore;
  readonly cursor: WindowCursor;
  /** Not 0, where differences and moments look alike. */
  nowMs = 1_000;
  readonly #incarnations = new Map<string, number>();

  constructor({ name = 'a', slots = 1, limits = {}, ...options }: RigOptions = {}) {
    this.cursor = WindowCursor.create(slots);
    this.core = new StealingCore({
      face: face(name, slots),
      seed: 1,
      cursor: this.cursor,
      limits: { ...DEFAULT_LIMITS, ...limits },
      ...options,
    });
    this.core.handle({ kind: 'wakeDue' }, this.nowMs);
  }

  fact(input: Input): string[] {
    const outputs = this.core.handle(input, this.nowMs);
    this.core.check();
    for (const output of outputs) if (output.kind === 'send') assertSendable(output.message);
    return outputs.map(lineOf);
  }

  /** Lets time pass in steps of a heartbeat, and returns what the last step ordered. */
  after(ms: number): string[] {
    const untilMs = this.nowMs + ms;
    while (this.nowMs + 250 < untilMs) {
      this.nowMs += 250;
      this.fact({ kind: 'wakeDue' });
    }
    this.nowMs = untilMs;
    return this.fact({ kind: 'wakeDue' });
  }

  /** The same, and everything that was ordered in between but heartbeats. */
  during(ms: number): string[] {
    const lines: string[] = [];
    for (let left = ms; left > 0; left -= 250) {
      this.nowMs += Math.min(250, left);
      lines.push(...this.fact({ kind: 'wakeDue' }));
    }
    return withoutBeats(lines);
  }

  /** Time passes while these peers are heard; everything that was ordered in between but heartbeats. */
  hearing(ms: number, ...peers: string[]): string[] {
    const lines: string[] = [];
    for (let left = ms; left > 0; left -= 250) {
      const jobs = this.core.status(this.nowMs).jobs.filter(({ isActive }) => isActive);
      const told = beat({ jobs: jobs.map((job) => progress(job.header.job)) });
      for (const peer of peers) lines.push(...this.hear(peer, told));
      this.nowMs += Math.min(250, left);
      lines.push(...this.fact({ kind: 'wakeDue' }));
    }
    return withoutBeats(lines);
  }

  connect(name: string, slots = 1, incarnation = 1): string[] {
    this.#incarnations.set(name, incarnation);
    return this.fact({ kind: 'peerConnected', face: face(name, slots, incarnation) });
  }

  lose(name: string): string[] {
    return this.fact({ kind: 'peerDisconnected', peer: peerId(name), refused: true });
  }

  hear(from: string, message: Message, incarnation?: number): string[] {
    return this.fact({
      kind: 'messageReceived',
      from: peerId(from),
      incarnation: incarnation ?? this.#incarnations.get(from) ?? 1,
      message,
    });
  }

  submit(job: string, taskCount: number): string[] {
    return this.fact({ kind: 'jobSubmitted', header: header(job, taskCount, 'a') });
  }

  load(job: string, taskCount: number, units = 1_000): string[] {
    return this.fact({ kind: 'jobLoaded', job: jobId(job), work: equalWork(taskCount, units) });
  }

  persisted(id: number): string[] {
    return this.fact({ kind: 'persisted', id });
  }

  finish(job: string, intervals: readonly Interval[], busyMs?: number): string[] {
    return this.fact({
      kind: 'tasksFinished',
      job: jobId(job),
      slot: 0,
      intervals,
      values: rowsOf(intervals),
      busyMs: busyMs ?? intervals.reduce((sum, [start, end]) => sum + end - start, 0),
    });
  }

  /** A slot claims, as its thread would. */
  claim(slot = 0): Interval[] {
    const claim = this.cursor.claims(slot).claim();
    return claim === 'dry' ? [] : claim.intervals;
  }

  /** Claims everything that can be claimed and finishes it in one report. */
  finishAll(job: string): string[] {
    const all: Interval[] = [];
    for (let claim = this.claim(); claim.length > 0; claim = this.claim()) all.push(...claim);
    return this.finish(job, all);
  }

  book(job: string): NonNullable<ReturnType<StealingCore['book']>> {
    const book = this.core.book(jobId(job));
    if (book === undefined) throw new Error(`no job ${job}`);
    return book;
  }
}

export function withoutBeats(lines: readonly string[]): string[] {
  return lines.filter((line) => !line.endsWith('heartbeat'));
}

/** The codec of the other side would refuse the message, and its sender with it. */
function assertSendable(message: Message): void {
  const decoded = decodeMessage(encodeMessage(message));
  if (!decoded.ok) throw new Error(`${message.kind}: ${decoded.fault}`);
}

function lineOf(output: Output): string {
  switch (output.kind) {
    case 'send': {
      const after = output.after === undefined ? '' : ` after ${output.after}`;
      return `> ${output.to}: ${textOf(output.message)}${after}`;
    }
    case 'persist':
      return `persist ${output.id}: ${entryText(output.entry)}`;
    case 'loadJob':
      return `loadJob ${output.header.job} as ${output.jobNumber}`;
    case 'answerSubmit':
      return `answerSubmit ${output.job} copies ${output.copies}`;
    case 'raiseAlarm':
      return `raiseAlarm ${output.job} task ${output.task} makers ${output.makers.join()}`;
    case 'recallRows':
    case 'unloadJob':
    case 'jobChanged':
      return `${output.kind} ${output.job}`;
    case 'finishLeaving':
      return output.kind;
    case 'log':
      return `log ${output.level} ${output.text}`;
  }
}

function entryText(entry: Extract<Output, { kind: 'persist' }>['entry']): string {
  if (entry.kind === 'job') return `job ${entry.header.job}`;
  if (entry.kind === 'quarantined') return `${entry.job} without ${entry.peer}`;
  if (entry.kind === 'ended') return `${entry.job} ${entry.ending.state}`;
  if (entry.kind === 'retried') return `${entry.job} retried, round ${entry.round}`;
  return `${entry.job} ${batchText(entry.batch)}`;
}

function textOf(message: Message): string {
  switch (message.kind) {
    case 'heartbeat':
    case 'leaving':
      return message.kind;
    case 'quarantined':
      return `quarantined ${message.peer}`;
    case 'jobOffered':
      return `jobOffered ${message.header.job}`;
    case 'jobStored':
      return `jobStored ${message.job}`;
    case 'jobRetried':
      return `jobRetried ${message.header.job}, round ${message.round}`;
    case 'jobEnded':
      return `jobEnded ${message.header.job} ${message.ending.state}`;
    case 'lifelineArmed':
      return `lifelineArmed`;
    case 'stealRequest':
      return `stealRequest ${message.request}`;
    case 'stealRefused':
      return `stealRefused ${message.request} ${message.reason}`;
    case 'grant': {
      const batches = message.batches.map(({ job, intervals }) => `${job} ${span(intervals)}`);
      return `grant ${message.grant} for ${message.request}: ${batches.join('; ')}`;
    }
    case 'grantConfirmed':
      return `grantConfirmed ${message.grant}`;
    case 'rows':
      return `rows ${message.delivery}: ${message.job} ${batchText(message.batch)}${message.isUnkept === true ? ' unkept' : ''}`;
    case 'rowsKept':
      return `rowsKept ${message.delivery}`;
    case 'taskTried':
      return `taskTried ${message.job} ${message.task}: ${message.attempts}`;
    case 'census':
      return `census ${message.census}: ${message.job}`;
    case 'censusAnswer': {
      const disk = message.onDisk.map(({ maker, intervals }) => `${maker} ${span(intervals)}`);
      const held = span(message.held);
      return `censusAnswer ${message.census}: ${message.job} disk ${disk.join()} held ${held}`;
    }
    case 'rowsWanted':
      return `rowsWanted ${message.job} ${span(message.intervals)}`;
    case 'beyond':
      return `beyond ${message.tier} from ${message.from}: ${textOf(message.message)}`;
    case 'speaks':
      return `speaks ${message.peer} for ${message.group}, term ${message.term}`;
  }
}

function batchText(batch: RowBatch): string {
  return `${batch.kind} of ${batch.maker} ${span(batch.intervals)}`;
}

function span(intervals: readonly Interval[]): string {
  return intervals.map(([start, end]) => `${start}-${end}`).join(' ') || 'none';
}
