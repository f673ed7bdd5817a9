// Runs one scenario to its end: machines, network, disks and faults around the core of production, on virtual
// time. The world makes trouble and keeps the record; what counts as right is for the checks to say.
import { invariant } from '../../invariant.ts';
import { type JobId, jobId, type PeerId, peerId } from '../ids.ts';
import type { JobHeader } from '../job.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import type { Message, MessageKind } from '../messages.ts';
import { Rng } from '../rng.ts';
import { WorkModel } from '../work.ts';
import { VirtualClock } from './clock.ts';
import { between, fork } from './draw.ts';
import { inflict } from './faults.ts';
import { type Codec, Network } from './network.ts';
import { VirtualPeer } from './peer.ts';
import type { JobPlan, Scenario } from './scenario.ts';
import type { CoreFactory, KnownJob, SimulatedJobStatus } from './shell.ts';
import { Trace, type TraceSink } from './trace.ts';
import { describeInput, describeMessage, describeOutput } from './trace-text.ts';
import type { Check, Execution, JobTruth, Sending, Step, Violation, WorldView } from './watch.ts';

/** Nobody let it in. */
const STRANGER = peerId('stranger');

export interface RunOptions {
  readonly makeCore: CoreFactory;
  readonly checks: readonly Check[];
  readonly codec?: Codec | undefined;
  /** Gets every event as a line. */
  readonly reader?: TraceSink | undefined;
  /** ms for which the world is watched after all is done: it must be quiet then. */
  readonly watchQuietMs?: number;
}

export interface Outcome {
  readonly violations: readonly Violation[];
  readonly traceHash: string;
  readonly events: number;
  readonly virtualMs: number;
  readonly world: WorldView;
}

/** How often the world looks whether all is done. */
const LOOK_MS = 20;
/** Events of one run, at most, and for each peer where there are thousands: beyond it somebody talks without end. */
const EVENTS_MAX = 20_000_000;
const EVENTS_PER_PEER_MAX = 10_000;

export function runScenario(scenario: Scenario, options: RunOptions): Outcome {
  return new World(scenario, options).run();
}

class World implements WorldView {
  readonly scenario: Scenario;
  readonly peers: VirtualPeer[] = [];
  readonly #byId = new Map<PeerId, VirtualPeer>();
  readonly #options: RunOptions;
  /** Those of the checks that look at each of these; most look at one. */
  readonly #ofSteps: readonly Check[];
  readonly #ofSendings: readonly Check[];
  readonly #clock = new VirtualClock();
  readonly #network: Network;
  readonly #trace: Trace;
  readonly #known = new Map<JobId, KnownJob>();
  readonly #submitted: JobTruth[] = [];
  readonly #violations: Violation[] = [];
  readonly #faultRng: Rng;
  /** Of each kind. */
  readonly #lastSaid = new Map<MessageKind, Message>();
  #isOver = false;
  endedAtMs: number | undefined;

  constructor(scenario: Scenario, options: RunOptions) {
    this.scenario = scenario;
    this.#options = options;
    this.#ofSteps = options.checks.filter((check) => 'stepped' in check);
    this.#ofSendings = options.checks.filter((check) => 'sent' in check);
    this.#trace = new Trace(options.reader);
    const rng = new Rng(scenario.seed);
    this.#network = new Network(this.#clock, fork(rng), {
      plan: scenario.network,
      codec: options.codec,
      sent: (from, to, message) => this.#sent(from, to, message),
      wire: (bytes) => this.#trace.bytes(bytes),
    });
    this.#faultRng = fork(rng);
    for (const plan of scenario.peers)
      this.#addPeer(new VirtualPeer(plan, fork(rng), this.#around()));
    const truths = [...truthsOf(scenario).values()];
    for (const [index, plan] of scenario.jobs.entries()) this.#plan(plan, truths[index]!);
    for (const { atMs, fault } of scenario.faults) {
      this.#clock.at(atMs, () => inflict(fault, this.#targets()));
    }
    this.#invite(new Rng(scenario.seed ^ 0x3a57), scenario.strangers ?? 0);
    this.#clock.at(scenario.calmFromMs, () => this.#calm());
    this.#clock.after(LOOK_MS, () => this.#look());
  }

  get nowMs(): number {
    return this.#clock.nowMs;
  }

  get jobs(): readonly JobTruth[] {
    return this.#submitted;
  }

  get hasEnded(): boolean {
    return this.endedAtMs !== undefined;
  }

  run(): Outcome {
    const eventsMax = Math.max(EVENTS_MAX, EVENTS_PER_PEER_MAX * this.peers.length);
    try {
      while (!this.#isOver && this.#violations.length === 0 && this.#clock.step()) {
        invariant(this.#clock.rung < eventsMax, 'a run ends within its number of events');
      }
      if (this.#violations.length === 0) {
        for (const check of this.#options.checks) this.#note(check, check.over?.(this));
      }
    } catch (error) {
      // A broken invariant of the core is a finding like any other.
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#violations.push({ check: 'no invariant breaks', atMs: this.nowMs, text });
    }
    return {
      violations: this.#violations,
      traceHash: this.#trace.hash,
      events: this.#clock.rung,
      virtualMs: this.nowMs,
      world: this,
    };
  }

  #addPeer(peer: VirtualPeer): void {
    this.peers.push(peer);
    const neighbours = peer.plan.place?.[0]?.members;
    this.#network.attach(peer, neighbours === undefined ? undefined : new Set(neighbours));
    this.#byId.set(peer.id, peer);
    this.#clock.at(peer.plan.startMs, () => peer.start());
  }

  #plan(plan: JobPlan, truth: JobTruth): void {
    this.#known.set(truth.header.job, { truth, plan });
    this.#clock.at(plan.submitMs, () => {
      const submitter = this.peers[plan.submitter];
      if (submitter?.submit(truth.header) !== true) return;
      this.#submitted.push(truth);
      this.#trace.event(this.nowMs, submitter.id, `submits ${plan.name}`);
      const { cancelAfterMs } = plan;
      if (cancelAfterMs === undefined) return;
      const { job } = truth.header;
      this.#clock.after(cancelAfterMs, () => submitter.receive({ kind: 'cancelRequested', job }));
    });
  }

  #around(): ConstructorParameters<typeof VirtualPeer>[2] {
    return {
      clock: this.#clock,
      network: this.#network,
      diskPlan: this.scenario.disk,
      seeding: this.scenario.seeding,
      limits: this.scenario.limits ?? DEFAULT_LIMITS,
      makeCore: this.#options.makeCore,
      jobKnown: (job) => {
        const known = this.#known.get(job);
        invariant(known !== undefined, `${job} was submitted`);
        return known;
      },
      dataSource: (self, job, attempt) => {
        const known = this.#network.knownTo(self);
        const sources = known.filter((id) => this.#isServing(self, id, job));
        return sources[attempt % Math.max(1, sources.length)];
      },
      isServing: (self, source, job) => this.#isServing(self, source, job),
      stepped: ({ atMs, peer, incarnation, input, outputs, core }) =>
        this.#stepped({ atMs, peer, incarnation, input, outputs, core, world: this }),
      ran: (execution) => this.#ran(execution),
      note: (who, what) => this.#trace.event(this.nowMs, who, what),
    };
  }

  #isServing(self: PeerId, source: PeerId, job: JobId): boolean {
    const peer = this.#byId.get(source);
    if (peer === undefined || source === self || !peer.isRunning || peer.isStopped()) return false;
    return peer.data.has(job) && this.#network.isReachable(self, source);
  }

  /** Strangers come between the first submit and the end of the faults, to anybody. Their dice are their own, so that
   * they change no other draw. */
  #invite(rng: Rng, strangers: number): void {
    const { jobs, peers, calmFromMs } = this.scenario;
    for (let i = 0; i < strangers; i++) {
      const untilMs = Math.max(calmFromMs, ...jobs.map(({ submitMs }) => submitMs + 1_000));
      const atMs = between(rng, jobs[0]?.submitMs ?? 0, untilMs);
      const to = rng.nextBelow(peers.length);
      this.#clock.at(atMs, () => this.peers[to] && this.#saysAll(this.peers[to]));
    }
  }

  #saysAll(to: VirtualPeer): void {
    this.#trace.event(this.nowMs, 'stranger', `speaks to ${to.id}`);
    for (const message of this.#lastSaid.values()) {
      // What was due anyway is done before, so that what follows follows from the word alone.
      to.receive({ kind: 'wakeDue' });
      to.receive({ kind: 'messageReceived', from: STRANGER, incarnation: 1, message });
    }
  }

  #targets(): Parameters<typeof inflict>[1] {
    return {
      clock: this.#clock,
      rng: this.#faultRng,
      network: this.#network,
      peers: this.peers,
      note: (who, what) => this.#trace.event(this.nowMs, who, what),
    };
  }

  #stepped(step: Step): void {
    this.#trace.event(step.atMs, step.peer, describeInput(step.input));
    if (this.#trace.isRead) {
      for (const output of step.outputs) {
        if (output.kind !== 'send') this.#trace.remark(() => `-> ${describeOutput(output)}`);
      }
    }
    for (const check of this.#ofSteps) {
      const found = check.stepped?.(step);
      if (found !== undefined) this.#note(check, found);
    }
    if (step.outputs.length === 0) return;
    if (step.outputs.some(({ kind }) => kind === 'answerSubmit')) this.#answered(step.peer);
  }

  #answered(submitter: PeerId): void {
    for (const { fault } of this.scenario.faults) {
      if (fault.kind !== 'killSubmitterAtAnswer' || this.nowMs >= this.scenario.calmFromMs)
        continue;
      const peer = this.peers.find(({ id }) => id === submitter);
      this.#clock.after(0, () => peer?.die('kill', fault.downMs));
    }
  }

  #ran(execution: Execution): void {
    for (const check of this.#options.checks) this.#note(check, check.ran?.(execution));
  }

  #sent(from: PeerId, to: PeerId, message: Message): void {
    this.#lastSaid.set(message.kind, message);
    const sending: Sending = { atMs: this.nowMs, from, to, message };
    if (this.#trace.isRead) this.#trace.remark(() => `=> ${to}: ${describeMessage(message)}`);
    for (const check of this.#ofSendings) {
      const found = check.sent?.(sending);
      if (found !== undefined) this.#note(check, found);
    }
  }

  #note(check: Check, text: string | undefined): void {
    if (text === undefined) return;
    this.#violations.push({ check: check.name, atMs: this.nowMs, text });
    this.#trace.event(this.nowMs, 'check', `${check.name}: ${text}`);
  }

  /** Faults are over: whoever can come back does. */
  #calm(): void {
    this.#trace.event(this.nowMs, 'world', 'calm');
    for (const peer of this.peers) peer.start();
  }

  #look(): void {
    const { calmFromMs, patienceMs, jobs } = this.scenario;
    const lastSubmitMs = Math.max(0, ...jobs.map(({ submitMs }) => submitMs));
    const fromMs = Math.max(calmFromMs, lastSubmitMs);
    if (this.nowMs >= fromMs && this.#allKnowTheEnd()) {
      this.endedAtMs = this.nowMs;
      this.#trace.event(this.nowMs, 'world', 'all ended');
      this.#clock.after(this.#options.watchQuietMs ?? 0, () => {
        this.#isOver = true;
      });
      return;
    }
    if (this.nowMs > fromMs + patienceMs) this.#isOver = true;
    else this.#clock.after(LOOK_MS, () => this.#look());
  }

  /** Every job that a running peer has, with its data, has ended at each running peer that knows it. */
  #allKnowTheEnd(): boolean {
    const running = this.peers.filter((peer) => peer.isRunning);
    const mustEnd = this.#submitted.filter(({ header: { job } }) =>
      running.some((peer) => peer.data.has(job) && isKnownTo(peer, job)),
    );
    return mustEnd.every(({ header: { job } }) => {
      let isTold = false;
      for (const peer of running) {
        const status = statusOf(peer, job);
        if (status?.isActive === true) return false;
        isTold ||= status !== undefined;
      }
      return isTold;
    });
  }
}

/** In the core or, what a kill may have left, on the disk alone. */
function isKnownTo(peer: VirtualPeer, job: JobId): boolean {
  const isOnDisk = peer.journal.some((entry) => entry.kind === 'job' && entry.header.job === job);
  return isOnDisk || statusOf(peer, job) !== undefined;
}

function statusOf(peer: VirtualPeer, job: JobId): SimulatedJobStatus | undefined {
  return peer.core?.status(peer.localMs).jobs.find(({ header }) => header.job === job);
}

/** What is true of the jobs of a scenario, in the order of its plans. */
export function truthsOf(scenario: Scenario): ReadonlyMap<JobId, JobTruth> {
  const truths = scenario.jobs.map((plan, index) => truthOf(scenario, plan, index));
  return new Map(truths.map((truth) => [truth.header.job, truth]));
}

function truthOf(scenario: Scenario, plan: JobPlan, index: number): JobTruth {
  const submitter = scenario.peers[plan.submitter];
  invariant(submitter !== undefined, `job ${index} is submitted by a peer of the scenario`);
  const work = new WorkModel(plan.runs);
  const hex = (scenario.seed * 1_000 + index + 1).toString(16).padStart(12, '0');
  const header: JobHeader = {
    job: jobId(hex.padEnd(32, '0')),
    name: plan.name,
    submitter: peerId(submitter.name),
    submittedAt: '2026-01-01T00:00:00.000Z',
    taskCount: work.taskCount,
    rowWidth: plan.rowWidth,
    kernel: 'simulated@1',
    rateKey: `simulated-${index}`,
    spec: { sha256: hex.padEnd(64, '1'), bytes: plan.dataBytes },
    datasets: [],
    onlyPeers: plan.onlyPeers?.map((i) => peerId(scenario.peers[i]?.name ?? '')),
    notPeers: plan.notPeers?.map((i) => peerId(scenario.peers[i]?.name ?? '')),
    priority: plan.priority,
    weight: plan.weight,
    audit: plan.audit,
  };
  return {
    header,
    seed: (scenario.seed * 31 + index) >>> 0,
    totalUnits: work.totalUnits,
    submitter: header.submitter,
    submittedAtMs: plan.submitMs,
    mayBeCancelled: plan.cancelAfterMs !== undefined,
  };
}
