// mesh submit FILE: checks the file here, hands job and data to the peer, follows the job to its end.
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { ControlClient } from '../control/client.ts';
import type { ControlHandlers } from '../control/handlers.ts';
import { submitPrepared } from '../control/submission.ts';
import type { SubmitView } from '../control/api.ts';
import { EXIT_CODES, MeshError } from '../errors.ts';
import type { PreparedJob } from '../jobfile/prepare.ts';
import { type Context, warnOfSkew } from './context.ts';
import { type EmbeddedPeer, handOver, startEmbedded } from './embedded.ts';
import { follow, printDetached } from './follow.ts';
import { type InputFlags, readJob } from './job-input.ts';
import { Interrupts } from './interrupts.ts';
import { reachPeers } from './join.ts';
import { readPeers } from './join-options.ts';
import {
  parseChoice,
  parseMemory,
  parsePriority,
  parseSlots,
  parseTaskTimeout,
  parseWeight,
} from './options.ts';
import { plural } from './output/format.ts';
import { printJson } from './output/json.ts';
import { type FollowFlags, readFollowFlags } from './watch.ts';

export interface SubmitFlags extends InputFlags, FollowFlags {
  readonly detach?: boolean;
  readonly example?: boolean;
  readonly dryRun?: boolean;
  readonly name?: string;
  readonly priority?: string;
  readonly weight?: string;
  readonly audit?: string;
  readonly onlyPeer?: readonly string[];
  readonly notPeer?: readonly string[];
  readonly needsMemory?: string;
  readonly taskTimeout?: string;
  readonly fresh?: boolean;
  readonly embed: string;
  readonly slots?: string;
  readonly memory?: string;
  readonly peer?: readonly string[];
}

const CONNECT_MS = 15_000;
/** Winners below the end screen, which has as many by the plain ratio. */
const TOP_DEFLATED = 10;

/** The peer that takes the job; `embedded` when it lives in this process. */
interface Place {
  readonly handlers: ControlHandlers;
  readonly embedded: EmbeddedPeer | undefined;
}

export async function submit(
  context: Context,
  given: string | undefined,
  flags: SubmitFlags,
): Promise<number> {
  if (flags.example === true) {
    const { exampleFile } = await import('../example.ts');
    context.out.write(await readFile(exampleFile('aapl.json'), 'utf8'));
    return 0;
  }
  const file = named(given);
  const followOptions = readFollowFlags(flags);
  const options = {
    embed: parseChoice(flags.embed, '--embed', ['auto', 'never', 'always']),
    peers: readPeers(flags.peer),
    slots: flags.slots === undefined ? undefined : parseSlots(flags.slots),
    memoryBytes: flags.memory === undefined ? undefined : parseMemory(flags.memory),
    detach: flags.detach ?? false,
  };
  const standing = readStanding(flags);
  // The file first: a mistake in it is found without a node, and costs nothing.
  const prepared = await readJob(context, file, flags);
  if (prepared === undefined) return EXIT_CODES.BAD_INPUT;
  for (const warning of prepared.warnings) {
    if (!context.quiet && !context.json) context.err.line(`warning: ${warning}`);
  }
  for (const note of prepared.notes) {
    if (!context.quiet && !context.json) context.err.line(note);
  }
  if (flags.dryRun === true) return (await import('./dry-run.ts')).dryRun(context, prepared);
  const place = await choosePlace(context, options);
  const interrupts = new Interrupts();
  try {
    const sent = submitPrepared(place.handlers, {
      ...prepared,
      ...standing,
      name: flags.name ?? prepared.name,
    });
    const job = await Promise.race([sent, interrupts.first]);
    if ('exit' in job) {
      // The answer is on its way, or the data still travels: only the node knows.
      if (!context.quiet && !context.json) {
        context.err.line('interrupted; whether there is a job: mesh jobs');
      }
      sent.catch(() => {});
      return job.exit;
    }
    if (options.detach) {
      printSubmitted(context, job);
      return 0;
    }
    const watch = `mesh watch ${job.job}`;
    const resume = place.embedded === undefined ? watch : `mesh join && ${watch}`;
    const status = await follow(
      context,
      place.handlers,
      { ...followOptions, job: job.job, resume, dataNames: namesOf(prepared), interrupts },
      async (why, last) => {
        if (place.embedded !== undefined) await handOver(context, place.embedded, why, last);
        else if (why === 'signal') printDetached(context, job.job, last);
      },
    );
    // What comes after a job's end may be ended like any command.
    if (isEnd(status)) interrupts.remove();
    if (prepared.isDeflated && isEnd(status)) await showDeflated(context, place.handlers, job.job);
    if (place.embedded !== undefined && isEnd(status)) sayWhatLooksNeed(context);
    return status;
  } finally {
    // A second Ctrl-C means now until the very end, and has the exit status of one.
    await place.embedded?.close();
    interrupts.remove();
  }
}

/** What the job is among others. */
function readStanding(flags: SubmitFlags) {
  return {
    fresh: flags.fresh,
    priority: flags.priority === undefined ? undefined : parsePriority(flags.priority),
    weight: flags.weight === undefined ? undefined : parseWeight(flags.weight),
    audit:
      flags.audit === undefined ? undefined : parseChoice(flags.audit, '--audit', ['all', 'none']),
    onlyPeers: flags.onlyPeer,
    notPeers: flags.notPeer,
    memoryBytes:
      flags.needsMemory === undefined
        ? undefined
        : parseMemory(flags.needsMemory, '--needs-memory'),
    taskTimeoutMs:
      flags.taskTimeout === undefined ? undefined : parseTaskTimeout(flags.taskTimeout),
  };
}

function named(file: string | undefined): string {
  if (file !== undefined) return file;
  throw new MeshError('USAGE', 'mesh submit needs a job file', {
    hint: 'mesh submit strategies.json; a first one: mesh init',
  });
}

/** A pipe has its rows, and whoever reads JSON its one object. */
async function showDeflated(context: Context, peer: ControlHandlers, job: string): Promise<void> {
  const { out, err, json, quiet, plain } = context;
  if (out.isTty && !json && !quiet && !plain) {
    const { printOverfit } = await import('./results-overfit.ts');
    err.line('');
    await printOverfit(context, peer, { job, top: TOP_DEFLATED });
  } else if (!quiet && !json)
    err.line(`  by the Deflated Sharpe Ratio: mesh results ${job} --overfit`);
}

/** The job has ended, and was not left alone. */
function isEnd(status: number): boolean {
  return status === 0 || status === EXIT_CODES.TASKS_FAILED;
}

/** The node of this job goes with this command, and the commands on the screen above ask one. */
function sayWhatLooksNeed({ out, err, json, quiet }: Context): void {
  if (out.isTty && !json && !quiet) err.line('  these need a node: mesh join');
}

/** The node knows data by its hash only; this command read the files. */
function namesOf({ datasets }: PreparedJob): ReadonlyMap<string, string> {
  return new Map(datasets.map(({ sha256, file }) => [sha256, basename(file)]));
}

async function choosePlace(
  context: Context,
  options: {
    readonly embed: 'auto' | 'never' | 'always';
    readonly peers: readonly string[];
    readonly slots: number | undefined;
    readonly memoryBytes: number | undefined;
    readonly detach: boolean;
  },
): Promise<Place> {
  const node = await ControlClient.find(context.home, context.via);
  if (node === undefined && context.via !== undefined) {
    throw new MeshError('NO_NODE', 'no mesh node runs on this machine, which --via needs', {
      hint: `mesh join --peer ${context.via}`,
    });
  }
  if (node !== undefined) {
    if (options.embed === 'always') {
      throw new MeshError(
        'ALREADY_RUNNING',
        'a node runs in this home: --embed always needs another',
        {
          hint: 'mesh submit without --embed',
        },
      );
    }
    await reachPeers(node, options, CONNECT_MS);
    await node.status();
    warnOfSkew(context, node);
    if (options.slots !== undefined && !context.quiet) {
      context.err.line('--slots is for a submit without a node; the running node keeps its slots');
    }
    return { handlers: node, embedded: undefined };
  }
  if (options.embed === 'never' || options.detach) {
    const why = options.detach ? ', and a detached job needs one' : '';
    throw new MeshError('NO_NODE', `no mesh node runs on this machine${why}`, {
      hint: 'mesh join && mesh submit …',
    });
  }
  const embedded = await startEmbedded(context, options);
  return { handlers: embedded.handlers, embedded };
}

function printSubmitted(context: Context, { job, jobId, copies }: SubmitView): void {
  if (context.json) {
    printJson(context.out, { v: 1, job, jobId, copies });
    return;
  }
  // The id alone, so that a script needs to cut nothing away.
  context.out.line(job);
  if (context.quiet) return;
  context.err.line(`  on the disks of ${plural(copies, 'peer')}`);
  context.err.line(`  see it: mesh watch ${job}    results: mesh results ${job}`);
}
