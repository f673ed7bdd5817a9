// Every tunable of the core: its unit, what more and less cost, and where the number comes from. Relations
// between them are asserted below and not described.
import { invariant } from '../invariant.ts';

export interface Limits {
  /** ms between heartbeats. Less: quicker suspicion, more idle traffic (4/s to 20 peers: 1.3 % of a core, measured). */
  readonly heartbeatMs: number;
  /** ms of silence until a peer is suspect: no steals to or from it. Less: false suspicion after a lost packet
   * (TCP's doubled retransmission time delivers a 1 s blip after 1.5 s, measured). */
  readonly suspectMs: number;
  /** ms of silence until a peer is lost and a census looks for its work. More: its work waits; less: a closed lid
   * of a few seconds runs work twice (0.5-1.2 % of tasks at 0.5 s, none at 5 s, modelled). */
  readonly lostMs: number;
  /** ms of work in one claimed micro-batch. More: coarser tail; less: more claims (each below 1 us). */
  readonly microBatchMs: number;
  /** Most tasks in a micro-batch: bounds a claim's rows to 640 KiB of 20 columns. */
  readonly microBatchTasksMax: number;
  /** A thief asks when its backlog is below this many round trips, or micro-batches. */
  readonly prefetchRoundTrips: number;
  /** ms: floor of the above, one scheduling quantum of a busy machine. */
  readonly prefetchMsMin: number;
  /** A steal is worth at least this many round trips of the thief's work, unless it is the tail. */
  readonly grainRoundTrips: number;
  /** Refusals in a row until a thief arms its lifelines and is silent. w = 2 costs 1-8 points of efficiency,
   * 4-6 none that shows, and messages fall from 1-2.9 to 0.4 per task (modelled). */
  readonly refusalsMax: number;
  /** ms between two requests after a refusal, at least. Less: a storm while everybody is nearly done. */
  readonly refusalPauseMs: number;
  /** ms without an answer until a steal request is given up, at least; 4 round trips when that is more. */
  readonly stealTimeoutMs: number;
  /** ms until an unconfirmed grant is sent again, at least. It is idempotent. */
  readonly grantResendMs: number;
  /** ms for which a victim still names a confirmed grant in a census, at least; 4 round trips when that is more. Less: a
   * census that races a grant runs it twice. More: what a thief had passed on to the dead waits (at 1,000 a job of
   * 260 ms took 1,360, at 250 it takes 610; simulated). */
  readonly confirmedNamedMs: number;
  /** ms that finished rows may wait for company on their way to disk. More: fewer flushes (17 ms each on a Mac);
   * less: fresher results. Who has nothing left to run does not wait. */
  readonly rowsFlushMs: number;
  /** The same when nothing is left to claim, and other claims still run here: they mostly end within a micro-batch. More: a
   * job's end waits; less: its last rows take a flush each. */
  readonly lastRowsFlushMs: number;
  /** Rows that go to disk without waiting. */
  readonly rowsFlushCount: number;
  /** Bytes of rows in one message: below the 1 MiB frame with room for the rest. */
  readonly rowsMessageBytesMax: number;
  /** Deliveries on their way to one peer. More: a million old rows for a new owner stand before steals; less: each
   * waits for a flush over there. 8 of 512 KiB are 4 MiB in flight, a second of a 32 Mbit/s line. */
  readonly deliveriesMax: number;
  /** ms until rows that nobody acknowledged are offered again (a full disk over there). */
  readonly deliveryRetryMs: number;
  /** ms for which a peer that kept nothing is not asked to keep a second copy. More: longer on one disk after it
   * has space again; less: more rows sent in vain. A guess: a few rows every ten seconds cost nothing. */
  readonly keeperPauseMs: number;
  /** ms between two censuses of one job, at least, when idle peers find nothing. */
  readonly censusPauseMs: number;
  /** ms for which a peer that starts with an unfinished job waits for its submitter and the makers of its rows, those that it has not met. More: what
   * they lost, or when one never comes back, waits; less: what they finished runs again. */
  readonly reviveWaitMs: number;
  /** ms for which a peer has been the owner of an ended job before it looks for the rows that it lacks. More: what a
   * lost peer had stays with one copy for longer; less: a peer that starts, and owns what it knows until it has met
   * the submitters, asks for the rows of a long life (240 jobs within a second, measured under churn). */
  readonly seekAfterMs: number;
  /** Slot-ms of history behind a measured rate. More: steadier; less: follows throttling sooner. */
  readonly rateMemoryMs: number;
  /** Slot-ms of it that outlive their job. More: a job begins with a steadier guess; less: it learns sooner whether
   * the data is warm. 100 are some thirty micro-batches. */
  readonly ratePriorMs: number;
  /** ms of a slot's busy time behind its own speed. More: steadier; less: follows sooner when the system moves the thread
   * to a slower core. 1,000 are two tasks of half a second, the shortest that are waited for. */
  readonly slotMemoryMs: number;
  /** ms after its last task for which a slot's speed is believed, at least. More: a job of few tasks begins on the fast
   * slots only; less: no slot waits on account of a core that its thread has left. As long as the peer's own rate. */
  readonly slotFreshMs: number;
  /** ms after which a slot that may claim what is unclaimed, and does not, is not reckoned with. More: the last tasks
   * wait for a thread that is being replaced; less: a slow slot takes what a fast one is about to take. Waking takes
   * 0.05 ms, and a thread that a busy machine does not run some 10. */
  readonly slotWakeMs: number;
  /** ms after which a peer that still lacks a job's data gives all it holds of it to whoever asks, and asks for no
   * more. Less: work travels while small data is on its way; more: it lies idle. A guess: a 10 MB dataset takes that
   * long. */
  readonly loadPatienceMs: number;
  /** ms of every slot that one of several jobs of a priority runs at a stretch. More: a job waits longer for its
   * turn; less: windows change more often (some 0.1 ms of idle slots each). */
  readonly turnMs: number;
  /** ms of every slot that a job may take ahead of others of its priority when it comes: a short job of a person
   * who waits ends within it. The most that leaves ten seconds fair to 5 %. */
  readonly turnBurstMs: number;
  /** Units per slot-millisecond before anything was measured: a unit is nominally a microsecond. */
  readonly priorUnitsPerSlotMs: number;
  /** ms without a finished task after which a claim makes no progress, at least; four times its prediction when that
   * is more. More: a hanging thread holds its task longer; less: tasks of a throttled peer run twice. */
  readonly progressMs: number;
  /** Attempts of one task (a dead slot each) until it is reported as failed. */
  readonly attemptsMax: number;
  /** ms for which the rows of an ended job stay in memory after they were read last. More: memory; less: a person who
   * looks again waits for the disk (160 MB of rows: half a second). */
  readonly rowsIdleMs: number;
  /** Rows of each peer and job that the owner runs again. More: a rarer lie is caught; less: a job ends sooner.
   * 32 catch a tenth of lies with 97 %, by (1 - f)^n. */
  readonly auditRows: number;
  /** ms that a row that is run again is waited for, at least. */
  readonly auditPatienceMs: number;
  /** Ended jobs that a peer tells a newcomer about. */
  readonly endingsToldMax: number;
}

export const DEFAULT_LIMITS: Limits = {
  heartbeatMs: 250,
  suspectMs: 1_500,
  lostMs: 10_000,
  microBatchMs: 3,
  microBatchTasksMax: 4_096,
  prefetchRoundTrips: 2,
  prefetchMsMin: 2,
  grainRoundTrips: 4,
  refusalsMax: 4,
  refusalPauseMs: 5,
  stealTimeoutMs: 500,
  grantResendMs: 500,
  confirmedNamedMs: 250,
  rowsFlushMs: 50,
  lastRowsFlushMs: 2,
  rowsFlushCount: 4_096,
  rowsMessageBytesMax: 512 * 1024,
  deliveriesMax: 8,
  deliveryRetryMs: 5_000,
  keeperPauseMs: 10_000,
  censusPauseMs: 1_000,
  reviveWaitMs: 5_000,
  seekAfterMs: 5_000,
  rateMemoryMs: 3_000,
  ratePriorMs: 100,
  slotMemoryMs: 1_000,
  slotFreshMs: 3_000,
  slotWakeMs: 20,
  loadPatienceMs: 1_000,
  turnMs: 20,
  turnBurstMs: 500,
  priorUnitsPerSlotMs: 1_000,
  progressMs: 5_000,
  attemptsMax: 3,
  auditRows: 32,
  auditPatienceMs: 5_000,
  rowsIdleMs: 60_000,
  endingsToldMax: 50,
};

export function checkLimits(limits: Limits): void {
  invariant(limits.suspectMs >= 4 * limits.heartbeatMs, 'a suspect missed several heartbeats');
  invariant(limits.lostMs > limits.suspectMs, 'a lost peer was suspect before');
  invariant(limits.reviveWaitMs >= limits.censusPauseMs, 'who is met late is still asked');
  invariant(limits.stealTimeoutMs < limits.suspectMs, 'a thief gives up before it suspects');
  invariant(limits.turnBurstMs <= 500, 'ten seconds are fair to 5 %');
  invariant(limits.refusalsMax >= 1 && limits.attemptsMax >= 1, 'at least one try');
  invariant(limits.rowsMessageBytesMax < 1024 * 1024, 'rows fit a control frame');
}
