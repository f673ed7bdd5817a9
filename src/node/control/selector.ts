// How people name a job: `j-7f3a`, three or more characters of that, the job's name, `last`, and for cancel `all`.
import { MeshError } from '../errors.ts';
import type { PeerView } from './api.ts';

export interface SelectableJob {
  /** The whole id, with or without `j-`. */
  readonly jobId: string;
  readonly name: string;
  readonly state: 'running' | 'done' | 'cancelled';
  /** ISO 8601 UTC, so that text order is time order. */
  readonly submittedAt: string;
  /** It only looks back at another one; nobody means it by `last`. */
  readonly isAside?: boolean;
}

const ID_PREFIX = 'j-';
/** Shorter prefixes match by accident as soon as a mesh has a few dozen jobs. */
const SELECTOR_CHARS_MIN = 3;
/** All peer ids begin alike, so that the end of one is what tells it apart. */
const PEER_CHARS_MIN = 4;
/** Four characters of 32 keep a thousand jobs apart with few exceptions, and are quick to type. */
const SHOWN_CHARS_MIN = 4;

/** The whole id of the one job that `selector` names. */
export function resolveJob(selector: string, jobs: readonly SelectableJob[]): string {
  const matches = matchingJobs(selector, jobs);
  const newest = matches.at(-1);
  if (newest === undefined) throw notFound(selector, jobs);
  if (matches.length === 1 || isName(selector, matches)) return newest.jobId;
  const jobIds = jobs.map(({ jobId }) => jobId);
  const shown = matches.slice(0, 5).map(({ jobId }) => shownJobId(jobId, jobIds));
  throw new MeshError('USAGE', `"${selector}" fits ${matches.length} jobs: ${shown.join(', ')}`, {
    hint: 'one more character of the id',
  });
}

/** As resolveJob, but `all` means every running job, which may be none. */
export function resolveJobs(selector: string, jobs: readonly SelectableJob[]): readonly string[] {
  if (selector !== 'all') return [resolveJob(selector, jobs)];
  return jobs.filter((job) => job.state === 'running').map((job) => job.jobId);
}

/** `j-` and the shortest prefix (of at least 4 characters) that no other of `jobIds` has. */
export function shownJobId(jobId: string, jobIds: Iterable<string>): string {
  const bare = bareId(jobId);
  let chars = SHOWN_CHARS_MIN;
  for (const other of jobIds) {
    const same = commonChars(bare, bareId(other));
    if (same < bare.length) chars = Math.max(chars, same + 1);
  }
  return ID_PREFIX + bare.slice(0, chars);
}

/** The same for all of them at once. Sorted, every id has the one that is most like it beside it. */
export function shownJobIds(jobIds: readonly string[]): Map<string, string> {
  const sorted = jobIds.toSorted(compareText);
  return new Map(
    sorted.map((jobId, at) => [
      jobId,
      shownJobId(jobId, sorted.slice(Math.max(0, at - 1), at + 2)),
    ]),
  );
}

function commonChars(a: string, b: string): number {
  let chars = 0;
  while (chars < a.length && a[chars] === b[chars]) chars++;
  return chars;
}

/** The one peer that `selector` names: by name, by address, or by four or more characters of its id, from the front
 * or the back. Live ones win over lost ones of the same name. */
export function resolvePeerView<
  T extends Pick<PeerView, 'id' | 'name' | 'addr' | 'port' | 'state'>,
>(selector: string, peers: readonly T[]): T {
  const live = peers.filter((peer) => peer.state !== 'lost');
  const [only, ...more] = matchingPeers(selector, live.length > 0 ? live : peers);
  if (only === undefined) {
    throw new MeshError('NOT_FOUND', `no peer "${selector.slice(0, 80)}"`, { hint: 'mesh peers' });
  }
  if (more.length === 0) return only;
  const shown = [only, ...more].map((peer) => peer.id.slice(-8)).slice(0, 5);
  throw new MeshError('USAGE', `"${selector}" fits ${more.length + 1} peers: ${shown.join(', ')}`, {
    hint: 'the end of its id',
  });
}

function matchingPeers<T extends Pick<PeerView, 'id' | 'name' | 'addr' | 'port'>>(
  selector: string,
  peers: readonly T[],
): readonly T[] {
  const byName = peers.filter(({ id, name }) => id === selector || name === selector);
  if (byName.length > 0) return byName;
  const byPlace = peers.filter(
    ({ addr, port }) => addr === selector || `${addr}:${port}` === selector,
  );
  if (byPlace.length > 0 || selector.length < PEER_CHARS_MIN) return byPlace;
  return peers.filter(({ id }) => id.startsWith(selector) || id.endsWith(selector));
}

/** Oldest first. An id beats a name: an id is always there to fall back on, and a name is chosen freely. */
function matchingJobs(selector: string, jobs: readonly SelectableJob[]): readonly SelectableJob[] {
  if (selector === 'last') return byAge(jobs.filter((job) => job.isAside !== true)).slice(-1);
  const bare = bareId(selector.toLowerCase());
  if (bare.length >= SELECTOR_CHARS_MIN) {
    const exact = jobs.filter((job) => bareId(job.jobId) === bare);
    if (exact.length > 0) return exact;
    const byId = jobs.filter((job) => bareId(job.jobId).startsWith(bare));
    if (byId.length > 0) return byAge(byId);
  }
  return byAge(jobs.filter((job) => job.name === selector));
}

function byAge(jobs: readonly SelectableJob[]): readonly SelectableJob[] {
  return jobs.toSorted(
    (a, b) => compareText(a.submittedAt, b.submittedAt) || compareText(a.jobId, b.jobId),
  );
}

/** A file submitted twice gives two jobs of one name; the name means the newer one. */
function isName(selector: string, matches: readonly SelectableJob[]): boolean {
  return matches.every((job) => job.name === selector);
}

function notFound(selector: string, jobs: readonly SelectableJob[]): MeshError {
  if (jobs.length === 0) {
    return new MeshError('NOT_FOUND', 'this mesh has no jobs yet', {
      hint: 'mesh submit strategies.json',
    });
  }
  return new MeshError('NOT_FOUND', `no job "${selector.slice(0, 80)}"`, { hint: 'mesh jobs' });
}

function bareId(id: string): string {
  return id.startsWith(ID_PREFIX) ? id.slice(ID_PREFIX.length) : id;
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
