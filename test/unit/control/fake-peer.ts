// A peer for tests of the control room and the screens: answers by canned views, remembers what it was asked.
import type {
  BrokenEvent,
  JobEvent,
  JobSummary,
  JobView,
  PeersView,
  PeerView,
  ResultsView,
  SnapshotEvent,
  StatusView,
} from '../../../src/node/control/api.ts';
import type { ControlHandlers } from '../../../src/node/control/handlers.ts';
import { resolveJob } from '../../../src/node/control/selector.ts';
import type { LogLine, LogQuery } from '../../../src/node/logs/log-line.ts';
import { MeshError } from '../../../src/node/errors.ts';

export function peerView(change: Partial<PeerView> = {}): PeerView {
  return {
    id: '12D3KooWstudio',
    name: 'studio',
    addr: '100.77.179.14',
    port: 7420,
    state: 'ok',
    slots: 12,
    running: 12,
    queued: 311,
    donePerSec: 37.2,
    share: 0.424,
    rate: 11.6,
    done: 1702,
    failed: 3,
    stole: 0,
    gave: 180,
    rttMs: 0,
    path: 'self',
    version: '0.1.0',
    kernels: ['backtest@1.0.0+6f0c2a91d3be'],
    since: '2026-01-05T10:00:00.000Z',
    ...change,
  };
}

export function peersView(): PeersView {
  const peers = [
    peerView(),
    peerView({
      id: '12D3KooWmbp',
      name: 'mbp-m3',
      addr: '100.77.179.15',
      slots: 10,
      running: 10,
      queued: 88,
      donePerSec: 27.9,
      share: 0.318,
      stole: 41,
      gave: 44,
      rttMs: 3.1,
      path: 'direct',
    }),
  ];
  return {
    v: 1,
    at: '2026-01-05T10:32:29.470Z',
    self: '12D3KooWstudio',
    totals: { peers: 2, slots: 22, donePerSec: 65.1, queued: 399 },
    peers,
  };
}

export function statusView(change: Partial<StatusView> = {}): StatusView {
  return {
    v: 1,
    self: {
      id: '12D3KooWstudio',
      name: 'studio',
      addr: '100.77.179.14',
      port: 7420,
      version: '0.1.0',
      pid: 4242,
      home: '/tmp/mesh-home',
    },
    state: 'ok',
    stepsBack: null,
    slots: 12,
    jobs: 1,
    disk: {
      state: 'ok',
      freeBytes: 50e9,
      usedBytes: 1.2e9,
      journalBytes: 1e9,
      blobBytes: 0.2e9,
      keep: { ms: 30 * 86_400_000, bytes: 20e9 },
      safety: 'power-safe',
      damaged: [],
      refuses: null,
    },
    running: 12,
    queued: 311,
    owned: 1,
    since: '2026-01-05T10:00:00.000Z',
    embedded: false,
    mesh: { peers: 2, slots: 22, reachable: 2 },
    ...change,
  };
}

export function jobView(change: Partial<JobView> = {}): JobView {
  return {
    id: 'j-7f3a',
    jobId: 'j-7f3aq0w9e8',
    name: 'strategies.json',
    state: 'running',
    tasks: 4000,
    done: 2440,
    failed: 3,
    donePerSec: 88,
    etaMs: 18_000,
    owner: 'studio',
    submittedAt: '2026-01-05T10:32:01.000Z',
    priority: 0,
    weight: 1,
    stuck: null,
    ...change,
  };
}

export function jobSummary(change: Partial<JobSummary> = {}): JobSummary {
  return {
    v: 1,
    job: 'j-7f3a',
    name: 'strategies.json',
    state: 'done',
    tasks: 4000,
    done: 3997,
    failed: 3,
    cached: 0,
    disputed: 0,
    lost: 0,
    checked: 0,
    elapsedMs: 46_000,
    resultsSha256: '9f3c'.repeat(16),
    peers: [
      {
        id: '12D3KooWstudio',
        name: 'studio',
        addr: '100.77.179.14',
        slots: 12,
        done: 2300,
        share: 0.575,
        rate: 11.6,
      },
      {
        id: '12D3KooWmbp',
        name: 'mbp-m3',
        addr: '100.77.179.15',
        slots: 10,
        done: 1697,
        share: 0.425,
        rate: 8.6,
      },
    ],
    efficiency: { bound: 0.97, greedy: 0.99 },
    steals: 61,
    messages: 512,
    resultMessages: 40,
    top: [
      {
        task: 2328,
        name: 'ema-cross',
        params: { fast: 8, slow: 50 },
        metrics: { sharpe: 2.31, totalReturn: 1.4, maxDrawdown: 0.12, trades: 210 },
      },
    ],
    ...change,
  };
}

export function snapshot(change: Partial<SnapshotEvent> = {}): SnapshotEvent {
  return {
    kind: 'snapshot',
    v: 1,
    peers: peersView(),
    jobs: { v: 1, jobs: [jobView()] },
    history: [
      { id: '12D3KooWstudio', busy: [0, 0.5, 1] },
      { id: '12D3KooWmbp', busy: [1, 1, 1] },
    ],
    steals: [
      {
        at: '2026-01-05T10:32:29.000Z',
        thief: 'mbp-m3',
        victim: 'studio',
        tasks: 16,
        refused: null,
      },
      {
        at: '2026-01-05T10:32:28.000Z',
        thief: 'air',
        victim: 'mbp-m3',
        tasks: 0,
        refused: 'empty',
      },
    ],
    ...change,
  };
}

export class FakePeer implements ControlHandlers {
  readonly asked: unknown[] = [];
  readonly blobs = new Map<string, Uint8Array>();
  readonly listeners = new Set<(event: JobEvent) => void>();
  /** Told to every watcher before `watch` returns. */
  firstEvents: JobEvent[] = [];
  jobViews: JobView[] = [jobView()];
  resultsView: ResultsView = {
    v: 1,
    job: 'j-7f3a',
    columns: ['task', 'sharpe'],
    rows: [[0, null]],
  };
  readonly observers = new Set<(event: SnapshotEvent | BrokenEvent) => void>();
  /** Told to every observer before `observe` returns. */
  firstSnapshot: SnapshotEvent = snapshot();

  status(): StatusView {
    return statusView();
  }
  peers(): PeersView {
    return peersView();
  }
  jobs() {
    return { v: 1, jobs: this.jobViews } as const;
  }
  async hasBlob(sha256: string) {
    return this.blobs.has(sha256);
  }
  async putBlob(sha256: string, body: AsyncIterable<Uint8Array>) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    this.blobs.set(sha256, Buffer.concat(chunks));
  }
  async submit(request: unknown) {
    this.asked.push(request);
    return { v: 1, job: 'j-7f3a', jobId: 'j-7f3aq0w9e8', copies: 2 } as const;
  }
  watch(job: string, options: unknown, listener: (event: JobEvent) => void) {
    this.asked.push({ job: resolveJob(job, this.jobViews), options });
    this.listeners.add(listener);
    for (const event of this.firstEvents) listener(event);
    return () => {
      this.listeners.delete(listener);
    };
  }
  observe(options: unknown, listener: (event: SnapshotEvent | BrokenEvent) => void) {
    this.asked.push({ observe: options });
    this.observers.add(listener);
    listener(this.firstSnapshot);
    return () => {
      this.observers.delete(listener);
    };
  }
  async summary(job: string, query: unknown) {
    this.asked.push({ job: resolveJob(job, this.jobViews), query });
    return jobSummary();
  }
  async results(job: string, query: unknown) {
    this.asked.push({ job: resolveJob(job, this.jobViews), query });
    return this.resultsView;
  }
  async *logs(query: LogQuery): AsyncGenerator<LogLine> {
    this.asked.push({ logs: query });
    yield { level: 30, time: 1_767_600_000_000, msg: 'started', job: 'j-7f3aq0w9e8' };
    yield { level: 40, time: 1_767_600_001_000, msg: 'a slot died', reason: 'väll' };
  }
  async trades(job: string, task: number) {
    this.asked.push({ job: resolveJob(job, this.jobViews), task });
    return { v: 1, trades: [] } as const;
  }
  async failures(job: string) {
    return { v: 1 as const, job, failed: 0, failures: [] };
  }

  async retry(job: string) {
    this.asked.push({ retry: resolveJob(job, this.jobViews) });
    return { v: 1 as const, job, tasks: 3 };
  }

  async segments(job: string) {
    const trials = { tasks: 3, ranked: 3, sharpeVariance: 1 };
    const of = [2, 0, 1];
    return {
      v: 1 as const,
      job,
      segmentsJob: 'j-5e95',
      segments: 16,
      of,
      winners: 1,
      drawn: of,
      trials,
    };
  }

  async cancel(job: string) {
    this.asked.push({ cancel: resolveJob(job, this.jobViews) });
    return { v: 1, jobs: [resolveJob(job, this.jobViews)] } as const;
  }
  async connect(addr: string, waitMs: number): Promise<never> {
    throw new MeshError('UNREACHABLE', `${addr} did not answer within ${waitMs} ms`, {
      hint: 'mesh status, on that machine',
    });
  }
  async explain(job: string, task: number) {
    return {
      v: 1,
      job: resolveJob(job, this.jobViews),
      jobId: job,
      task,
      place: 'queued',
      peers: [],
      why: ['it is queued here behind 3 tasks of its job'],
      attempts: 0,
      ahead: 3,
      startsInMs: 12,
      self: 'studio',
    } as const;
  }
  async steals() {
    return { v: 1, steals: [] } as const;
  }
  async drain(isWanted: boolean) {
    this.asked.push({ drain: isWanted });
    return { v: 1, state: isWanted ? 'draining' : 'ok' } as const;
  }
  async key() {
    return { v: 1, key: 'secret', fingerprint: 'ab12' } as const;
  }
  async redeem() {
    return this.connect('100.77.179.15', 0);
  }
  async invite() {
    return { v: 1, invite: 'mesh-invite-x', expiresAt: '2026-01-05T11:00:00.000Z' } as const;
  }
  async approve() {
    return { v: 1, expiresAt: '2026-01-05T11:00:00.000Z' } as const;
  }
  async rotateKey() {
    return { v: 1, fingerprint: 'ab12', required: false, told: 1 } as const;
  }
  async requireKey() {
    return { v: 1, fingerprint: 'ab12', required: true, told: 1 } as const;
  }
  async forget() {
    const peer = { id: '12D3KooWmbp', name: 'mbp-m3' };
    return { ...(await this.rotateKey()), peer };
  }
  async leave(): Promise<never> {
    throw new TypeError('a bug of ours');
  }
  async stop() {
    this.asked.push('stop');
  }
}
