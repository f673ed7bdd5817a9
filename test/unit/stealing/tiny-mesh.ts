// A few cores wired together in memory: messages take a random time and keep their order per pair of peers,
// disks take theirs, slots finish claims in random order. No faults but those that a test makes. It is far
// smaller than the simulator on purpose: a second pair of eyes on the same core.
import { WindowCursor } from '../../../src/deque/cursor.ts';
import type { Interval } from '../../../src/deque/interval-set.ts';
import { StealingCore } from '../../../src/stealing/core.ts';
import { type JobId, peerId } from '../../../src/stealing/ids.ts';
import type { Input } from '../../../src/stealing/input.ts';
import type { JobHeader } from '../../../src/stealing/job.ts';
import { DEFAULT_LIMITS } from '../../../src/stealing/limits.ts';
import type { Message } from '../../../src/stealing/messages.ts';
import type { Output } from '../../../src/stealing/output.ts';
import { Rng } from '../../../src/stealing/rng.ts';
import type { WorkModel } from '../../../src/stealing/work.ts';
import { face, rowsOf } from './rig.ts';

export interface MeshPlan {
  readonly seed: number;
  /** Slots of each peer; peers are named a, b, c, ... */
  readonly slots: readonly number[];
  readonly delayMsMax: number;
  readonly diskMsMax: number;
  /** Units per slot-millisecond of each peer; 1000 where there is none. */
  readonly speeds?: readonly number[];
  /** Peers that lack the kernel. */
  readonly unable?: readonly string[];
}

interface Node {
  readonly name: string;
  readonly core: StealingCore;
  readonly cursor: WindowCursor;
  readonly isBusy: boolean[];
  readonly speed: number;
  readonly jobs: Map<number, JobId>;
  readonly waiting: Map<number, (() => void)[]>;
  isDead: boolean;
  wakeMs: number;
}

export interface Sent {
  readonly from: string;
  readonly to: string;
  readonly message: Message;
  readonly atMs: number;
}

export class TinyMesh {
  nowMs = 0;
  readonly nodes: Node[];
  readonly sent: Sent[] = [];
  readonly answers: string[] = [];
  /** Executions per task. */
  readonly runs = new Map<number, number>();
  readonly #plan: MeshPlan;
  readonly #rng: Rng;
  readonly #events: { readonly atMs: number; readonly order: number; readonly act: () => void }[] =
    [];
  readonly #lastArrival = new Map<string, number>();
  readonly #work = new Map<JobId, WorkModel>();
  #order = 0;

  constructor(plan: MeshPlan) {
    this.#plan = plan;
    this.#rng = new Rng(plan.seed);
    this.nodes = plan.slots.map((slots, i) => {
      const name = String.fromCodePoint(97 + i);
      const cursor = WindowCursor.create(slots);
      return {
        name,
        core: new StealingCore({
          face: face(name, slots),
          seed: plan.seed + i,
          cursor,
          limits: DEFAULT_LIMITS,
        }),
        cursor,
        isBusy: Array.from({ length: slots }, () => false),
        speed: plan.speeds?.[i] ?? 1_000,
        jobs: new Map(),
        waiting: new Map(),
        isDead: false,
        wakeMs: Number.POSITIVE_INFINITY,
      };
    });
    for (const node of this.nodes) {
      for (const other of this.nodes) if (other !== node) this.connect(node, other);
    }
  }

  node(name: string): Node {
    const node = this.nodes.find((candidate) => candidate.name === name);
    if (node === undefined) throw new Error(`no peer ${name}`);
    return node;
  }

  connect(node: Node, other: Node): void {
    this.#tell(node, { kind: 'peerConnected', face: face(other.name, other.isBusy.length) });
  }

  submit(name: string, header: JobHeader, work: WorkModel): void {
    this.#work.set(header.job, work);
    this.#tell(this.node(name), { kind: 'jobSubmitted', header });
  }

  tell(name: string, input: Input): void {
    this.#tell(this.node(name), input);
  }

  /** The process is gone; everybody notices at once. */
  kill(name: string): void {
    const dead = this.node(name);
    dead.isDead = true;
    for (const node of this.nodes) {
      if (node.isDead) continue;
      this.#tell(node, { kind: 'peerDisconnected', peer: peerId(name), refused: true });
    }
  }

  /** Returns false when `untilMs` comes before the condition. */
  runUntil(isReached: () => boolean, untilMs: number): boolean {
    while (!isReached()) {
      const next = this.#events[0];
      if (next === undefined || next.atMs > untilMs) {
        this.nowMs = untilMs;
        return isReached();
      }
      this.#pop();
      this.nowMs = next.atMs;
      next.act();
    }
    return true;
  }

  hasEnded(job: JobId): boolean {
    return this.nodes.every((node) => node.isDead || node.core.book(job)?.isActive === false);
  }

  #tell(node: Node, input: Input): void {
    if (node.isDead) return;
    for (const output of node.core.handle(input, this.nowMs)) this.#carryOut(node, output);
    node.core.check();
    this.#claim(node);
    const { atMs } = node.core.nextWake();
    if (atMs === node.wakeMs) return;
    node.wakeMs = atMs;
    this.#at(atMs, () => {
      if (node.wakeMs !== atMs) return;
      node.wakeMs = Number.POSITIVE_INFINITY;
      this.#tell(node, { kind: 'wakeDue' });
    });
  }

  #carryOut(node: Node, output: Output): void {
    switch (output.kind) {
      case 'send': {
        const go = (): void => this.#send(node, output.to, output.message);
        if (output.after === undefined) go();
        else {
          const queue = node.waiting.get(output.after);
          if (queue === undefined) throw new Error('a send waits for a persist that is not open');
          queue.push(go);
        }
        return;
      }
      case 'persist':
        node.waiting.set(output.id, []);
        this.#at(this.nowMs + this.#rng.nextFloat() * this.#plan.diskMsMax, () => {
          if (node.isDead) return;
          for (const go of node.waiting.get(output.id) ?? []) go();
          node.waiting.delete(output.id);
          this.#tell(node, { kind: 'persisted', id: output.id });
        });
        return;
      case 'loadJob':
        node.jobs.set(output.jobNumber, output.header.job);
        this.#at(this.nowMs + this.#rng.nextFloat() * this.#plan.delayMsMax, () => {
          const { job } = output.header;
          const work = this.#work.get(job);
          const isUnable = this.#plan.unable?.includes(node.name) ?? false;
          if (work === undefined || isUnable) {
            this.#tell(node, { kind: 'jobUnloadable', job, reason: 'no such kernel' });
          } else this.#tell(node, { kind: 'jobLoaded', job, work });
        });
        return;
      case 'answerSubmit':
        this.answers.push(`${node.name} ${output.job} ${output.copies}`);
        return;
      case 'raiseAlarm':
        throw new Error(`alarm for task ${output.task}`);
      case 'recallRows':
        throw new Error('nobody starts again here, and nothing lasts for a minute');
      case 'unloadJob':
      case 'jobChanged':
      case 'finishLeaving':
      case 'log':
    }
  }

  #send(node: Node, to: string, message: Message): void {
    if (node.isDead) return;
    this.sent.push({ from: node.name, to, message, atMs: this.nowMs });
    const pair = `${node.name}>${to}`;
    const arrival = this.nowMs + this.#rng.nextFloat() * this.#plan.delayMsMax;
    const atMs = Math.max(arrival, this.#lastArrival.get(pair) ?? 0);
    this.#lastArrival.set(pair, atMs);
    this.#at(atMs, () => {
      const from = peerId(node.name);
      this.#tell(this.node(to), { kind: 'messageReceived', from, incarnation: 1, message });
    });
  }

  #claim(node: Node): void {
    for (const [slot, isBusy] of node.isBusy.entries()) {
      if (isBusy) continue;
      const view = node.cursor.claims(slot);
      const claim = view.claim();
      if (claim === 'dry') return;
      const job = node.jobs.get(claim.jobNumber);
      const work = job === undefined ? undefined : this.#work.get(job);
      if (job === undefined || work === undefined) throw new Error('a slot runs what is loaded');
      node.isBusy[slot] = true;
      const busyMs = work.of(claim.intervals) / node.speed;
      this.#at(this.nowMs + busyMs * (0.8 + 0.4 * this.#rng.nextFloat()), () => {
        if (node.isDead) return;
        this.#count(claim.intervals);
        view.finish();
        node.isBusy[slot] = false;
        const { intervals } = claim;
        const values = rowsOf(intervals);
        this.#tell(node, { kind: 'tasksFinished', job, slot, intervals, values, busyMs });
      });
    }
  }

  #count(intervals: readonly Interval[]): void {
    for (const [start, end] of intervals) {
      for (let task = start; task < end; task++) {
        this.runs.set(task, (this.runs.get(task) ?? 0) + 1);
      }
    }
  }

  // A binary heap by time, then by order of arrival.
  #at(atMs: number, act: () => void): void {
    const heap = this.#events;
    heap.push({ atMs: Math.max(atMs, this.nowMs), order: this.#order++, act });
    let child = heap.length - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!this.#isBefore(child, parent)) return;
      this.#swap(child, parent);
      child = parent;
    }
  }

  #pop(): void {
    const heap = this.#events;
    const last = heap.pop();
    if (heap.length === 0 || last === undefined) return;
    heap[0] = last;
    let parent = 0;
    for (;;) {
      let least = parent;
      for (const child of [2 * parent + 1, 2 * parent + 2]) {
        if (child < heap.length && this.#isBefore(child, least)) least = child;
      }
      if (least === parent) return;
      this.#swap(parent, least);
      parent = least;
    }
  }

  #isBefore(i: number, j: number): boolean {
    const one = this.#events[i];
    const two = this.#events[j];
    if (one === undefined || two === undefined) return false;
    return one.atMs < two.atMs || (one.atMs === two.atMs && one.order < two.order);
  }

  #swap(i: number, j: number): void {
    const one = this.#events[i];
    const two = this.#events[j];
    if (one === undefined || two === undefined) return;
    this.#events[i] = two;
    this.#events[j] = one;
  }
}
