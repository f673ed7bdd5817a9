// Facts, orders and messages as one line each, for whoever reads a failing seed. The lines of facts also go
// into the fingerprint of a run, so they hold everything that tells two runs apart.
import type { Interval } from '../../deque/interval-set.ts';
import type { Input } from '../input.ts';
import type { RowBatch } from '../job.ts';
import type { Message } from '../messages.ts';
import type { TieredOutput } from '../tiers/tiered-core.ts';

export function describeInput(input: Input): string {
  switch (input.kind) {
    case 'messageReceived':
      return `<= ${input.from}/${input.incarnation}: ${describeMessage(input.message)}`;
    case 'peerConnected':
      return `peerConnected ${input.face.peer}/${input.face.incarnation}`;
    case 'peerDisconnected':
      return `peerDisconnected ${input.peer}${input.refused ? ', refused' : ''}`;
    case 'jobRecovered':
      return `jobRecovered, ${input.batches.length} batches, ${input.ending?.state ?? 'running'}`;
    case 'tasksFinished':
      return `tasksFinished slot ${input.slot} ${ranges(input.intervals)} in ${input.busyMs.toFixed(2)} ms`;
    case 'slotDied':
      return `slotDied over ${ranges(input.intervals)}`;
    case 'persisted':
      return `persisted ${input.id}`;
    case 'persistFailed':
      return `persistFailed ${input.id}`;
    case 'tasksHanded':
    case 'tasksAdopted':
      return `${input.kind} ${ranges(input.intervals)}`;
    case 'rowsCounted':
      return `rowsCounted ${input.batches.map((batch) => batchText(batch)).join(' + ')}`;
    case 'speakerChosen':
      return `speakerChosen ${input.peer ?? 'nobody'}`;
    case 'rowsRecalled':
      return `rowsRecalled, ${input.batches.length} batches`;
    case 'jobSubmitted':
    case 'jobLoaded':
    case 'jobHanded':
    case 'jobEndedBeyond':
    case 'jobUnloadable':
    case 'windowDry':
    case 'cancelRequested':
    case 'retryRequested':
    case 'jobExpired':
    case 'rowsRequested':
    case 'drainRequested':
    case 'sparingRequested':
    case 'leaveRequested':
    case 'wakeDue':
      return input.kind;
  }
}

export function describeMessage(message: Message): string {
  switch (message.kind) {
    case 'heartbeat': {
      if (message.jobs.length === 0) return `heartbeat busy ${message.busySlots} `;
      const jobs = message.jobs.map(
        (job) =>
          `held ${job.heldTasks} counted ${job.countedTasks} backlog ${job.backlogWork.toFixed(0)}`,
      );
      return `heartbeat busy ${message.busySlots} ${jobs.join('; ')}`;
    }
    case 'grant': {
      const batches = message.batches.map((batch) => ranges(batch.intervals)).join(' + ');
      return `grant ${message.grant} for request ${message.request}: ${batches}`;
    }
    case 'grantConfirmed':
      return `grantConfirmed ${message.grant}`;
    case 'rows':
      return `rows ${message.delivery}: ${batchText(message.batch)}`;
    case 'quarantined':
      return `quarantined ${message.peer}`;
    case 'rowsKept':
      return `rowsKept ${message.delivery}`;
    case 'taskTried':
      return `taskTried ${message.task}: ${message.attempts} times, ${message.reason}`;
    case 'rowsWanted':
      return `rowsWanted ${ranges(message.intervals)}`;
    case 'census':
      return `census ${message.census}`;
    case 'censusAnswer': {
      const disk = message.onDisk.map(({ maker, intervals }) => `${maker} ${ranges(intervals)}`);
      return `censusAnswer ${message.census}: held ${ranges(message.held)}, disk ${disk.join(', ')}`;
    }
    case 'stealRequest':
      return `stealRequest ${message.request}, backlog ${message.backlogMs.toFixed(1)} ms`;
    case 'stealRefused':
      return `stealRefused ${message.request}, ${message.reason}`;
    case 'jobRetried':
      return `jobRetried, round ${message.round}`;
    case 'jobEnded':
      return `jobEnded ${message.ending.state}, ${message.ending.done} done`;
    case 'beyond':
      return `beyond ${message.tier}, ${message.from} to ${message.to}: ${describeMessage(message.message)}`;
    case 'speaks':
      return `${message.peer} speaks for ${message.group}, term ${message.term}`;
    case 'jobOffered':
    case 'jobStored':
    case 'lifelineArmed':
    case 'leaving':
      return message.kind;
  }
}

export function describeOutput(output: TieredOutput): string {
  switch (output.kind) {
    case 'send':
      return `send ${output.to}: ${describeMessage(output.message)}`;
    case 'persist': {
      const { entry } = output;
      const what = entry.kind === 'rows' ? `rows ${batchText(entry.batch)}` : entry.kind;
      return `persist ${output.id}: ${what}`;
    }
    case 'loadJob':
      return `loadJob ${output.jobNumber}`;
    case 'dial':
      return `dial ${output.peer}`;
    case 'answerSubmit':
      return `answerSubmit, ${output.copies} copies`;
    case 'raiseAlarm':
      return `raiseAlarm for task ${output.task}`;
    case 'log':
      return `${output.level}: ${output.text} ${JSON.stringify(output.fields)}`;
    case 'recallRows':
    case 'unloadJob':
    case 'jobChanged':
    case 'finishLeaving':
      return output.kind;
  }
}

function batchText(batch: RowBatch): string {
  return `${batch.kind} of ${batch.maker} ${ranges(batch.intervals)}`;
}

/** At most a handful: a fragmented set would fill the screen. */
function ranges(intervals: readonly Interval[]): string {
  const shown = intervals.slice(0, 8).map(([start, end]) => `${start}..${end - 1}`);
  const rest = intervals.length > 8 ? ` and ${intervals.length - 8} more` : '';
  return `[${shown.join(' ')}${rest}]`;
}
