// A slot's life: look at messages, claim a micro-batch, run it, hand over the rows; when nothing is left, sleep
// on the cursor's wake epoch. The loop is synchronous and never returns to the thread's event loop, so between
// two micro-batches there is a compareExchange and a message, and nothing else.
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { Claim, ClaimView } from '../../deque/claim-view.ts';
import { countTasks } from '../../deque/interval-set.ts';
import { invariant, unreachable } from '../../invariant.ts';
import type { TaskRunner } from '../../kernel/job.ts';
import { Pace, type Throttle } from './pace.ts';
import { RowPart } from './row-part.ts';
import type { LoadMessage, PoolMessage, SlotMessage } from './slot-messages.ts';

/** ms after which finished rows of a claim that is still running are handed over. Less tells main earlier what
 * is done and costs more messages (some 30 us each, 0.06 % at 50 ms); most claims last 2-5 ms. */
const PART_MS = 50;

/** ms until a sleeping slot looks around by itself: a net under the wake-ups, not a poll. */
const IDLE_WAIT_MS = 1000;

export type CompileJob = (load: LoadMessage) => TaskRunner;

export interface SlotParts {
  readonly port: MessagePort;
  readonly view: ClaimView;
  readonly throttle: Throttle;
  readonly compile: CompileJob;
  /** Nothing is left to do for now. */
  readonly onIdle: () => void;
}

export class SlotLoop {
  readonly #port: MessagePort;
  readonly #view: ClaimView;
  readonly #compile: CompileJob;
  readonly #onIdle: () => void;
  readonly #pace: Pace;
  readonly #loads = new Map<number, LoadMessage>();
  readonly #runners = new Map<number, TaskRunner>();
  readonly #unloaded = new Set<number>();
  #dryWindow = -1;

  constructor(parts: SlotParts) {
    this.#port = parts.port;
    this.#view = parts.view;
    this.#compile = parts.compile;
    this.#onIdle = parts.onIdle;
    this.#pace = new Pace(parts.throttle);
  }

  /** Ends with the thread. An error in a task ends the thread too: its claim record says what to run again. */
  run(): never {
    for (;;) {
      const epoch = this.#view.wakeEpoch();
      this.#drainMessages();
      const claim = this.#view.claim();
      if (claim === 'dry') this.#idle(epoch);
      else this.#work(claim);
    }
  }

  #drainMessages(): void {
    for (;;) {
      const received = receiveMessageOnPort(this.#port);
      if (received === undefined) return;
      const message = received.message as PoolMessage;
      switch (message.kind) {
        case 'load':
          this.#loads.set(message.jobNumber, message);
          break;
        case 'unload':
          this.#loads.delete(message.jobNumber);
          this.#runners.delete(message.jobNumber);
          this.#unloaded.add(message.jobNumber);
          break;
        default:
          unreachable(message);
      }
    }
  }

  #idle(epoch: number): void {
    this.#pace.pause();
    this.#onIdle();
    const window = this.#view.windowId();
    if (window !== this.#dryWindow) {
      this.#dryWindow = window;
      this.#post({ kind: 'dry', window });
    }
    // A job that is loaded already is compiled before its first window opens, not after.
    const waiting = [...this.#loads.keys()].find((jobNumber) => !this.#runners.has(jobNumber));
    if (waiting === undefined) this.#view.waitForWork(epoch, IDLE_WAIT_MS);
    else this.#runnerOf(waiting);
  }

  #work(claim: Claim): void {
    const runner = this.#runnerOf(claim.jobNumber);
    if (runner !== undefined) this.#runTasks(claim, runner);
    // Every row has been posted; whatever happens to this thread from here on, they arrive.
    this.#view.finish();
  }

  #runTasks(claim: Claim, runner: TaskRunner): void {
    const rowWidth = runner.columns.length;
    let left = countTasks(claim.intervals);
    let part = new RowPart(rowWidth, left, performance.now());
    for (const [start, end] of claim.intervals) {
      for (let task = start; task < end; task++) {
        const waitMs = runner.waitMs(task);
        runner.run(task, part.target, part.offset);
        this.#pace.letPass(waitMs);
        part.finished(task);
        left--;
        if (left > 0 && (part.isFull || performance.now() - part.startedMs >= PART_MS)) {
          part = new RowPart(rowWidth, left, this.#handOver(claim, part));
        }
      }
    }
    this.#handOver(claim, part);
  }

  /** Returns when the part ended and the next one begins: handing over is the slot's work, too. */
  #handOver(claim: Claim, part: RowPart): number {
    this.#pace.throttle(performance.now() - part.startedMs);
    const values = part.values();
    const endedMs = performance.now();
    const busyMs = endedMs - part.startedMs;
    const { jobNumber, window } = claim;
    const { intervals } = part;
    this.#post({ kind: 'rows', jobNumber, window, intervals, values, busyMs }, [values.buffer]);
    return endedMs;
  }

  /** Undefined for a job that was unloaded after the claim. */
  #runnerOf(jobNumber: number): TaskRunner | undefined {
    const known = this.#runners.get(jobNumber);
    if (known !== undefined) return known;
    // The job was loaded before its window opened, but perhaps after this slot last looked.
    this.#drainMessages();
    const load = this.#loads.get(jobNumber);
    if (load === undefined) {
      invariant(this.#unloaded.has(jobNumber), `job ${jobNumber} is loaded before it is claimed`);
      return undefined;
    }
    const runner = this.#compiled(load);
    this.#runners.set(jobNumber, runner);
    return runner;
  }

  #compiled(load: LoadMessage): TaskRunner {
    try {
      return this.#compile(load);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#post({ kind: 'loadFailed', jobNumber: load.jobNumber, reason });
      throw error;
    }
  }

  #post(message: SlotMessage, transfer: readonly ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer);
  }
}
