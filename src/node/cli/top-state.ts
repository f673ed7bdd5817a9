// What a person has done to `mesh top`: a key comes in, the next state and perhaps an order come out. Pure; the
// drawing is in output/top-screen.ts, the carrying out in top.ts.
import type { JobView, PeerView, SnapshotEvent } from '../control/api.ts';
import { byMost, byName } from './peer-order.ts';

/** Columns by which peers can be sorted, in the order in which `s` goes through them. */
const ORDERS = {
  name: byName,
  'done/s': byMost((peer) => peer.donePerSec),
  queue: byMost((peer) => peer.queued),
  share: byMost((peer) => peer.share),
  stole: byMost((peer) => peer.stole),
} as const;
type TopOrder = keyof typeof ORDERS;
const TOP_ORDERS = Object.keys(ORDERS) as TopOrder[];

export type TopRow =
  | { readonly kind: 'job'; readonly job: JobView }
  | { readonly kind: 'peer'; readonly peer: PeerView };

/** What `top` does to the mesh; each is asked for once more before it happens. */
interface TopOrderToMesh {
  readonly kind: 'cancel' | 'drain' | 'undrain';
  readonly target: string;
  readonly question: string;
}

export interface TopState {
  /** Id of the selected job or peer. */
  readonly selected: string | undefined;
  readonly order: TopOrder;
  readonly filter: string;
  readonly isTyping: boolean;
  readonly isPaused: boolean;
  readonly page: 'main' | 'help' | 'details' | 'best';
  readonly asking: TopOrderToMesh | undefined;
  /** A sentence about the last key; gone with the next. */
  readonly remark: string;
}

export type TopAction =
  | { readonly kind: 'quit' }
  | { readonly kind: 'best'; readonly job: string }
  | TopOrderToMesh;

export const FIRST_STATE: TopState = {
  selected: undefined,
  order: 'name',
  filter: '',
  isTyping: false,
  isPaused: false,
  page: 'main',
  asking: undefined,
  remark: '',
};

const FILTER_CHARS_MAX = 40;

/** Jobs, then peers: what can be selected, top to bottom. */
export function topRows(state: TopState, { jobs, peers }: SnapshotEvent): readonly TopRow[] {
  const matches = (text: string): boolean =>
    text.toLowerCase().includes(state.filter.toLowerCase());
  const shownJobs = jobs.jobs
    .filter((job) => matches(`${job.id} ${job.name}`))
    .toReversed()
    .toSorted((a, b) => Number(b.state === 'running') - Number(a.state === 'running'));
  const shownPeers = peers.peers
    .filter((peer) => matches(`${peer.name} ${peer.addr}`))
    .toSorted(ORDERS[state.order]);
  return [
    ...shownJobs.map((job): TopRow => ({ kind: 'job', job })),
    ...shownPeers.map((peer): TopRow => ({ kind: 'peer', peer })),
  ];
}

export function rowId(row: TopRow): string {
  return row.kind === 'job' ? row.job.id : row.peer.id;
}

export interface Press {
  readonly state: TopState;
  readonly action?: TopAction;
}

/** `key` is a name as readline gives it (up, down, return, escape, backspace) or the character typed. */
export function press(state: TopState, key: string, snapshot: SnapshotEvent | undefined): Press {
  if (key === 'ctrl-c') return { state, action: { kind: 'quit' } };
  if (state.isTyping) return { state: typed(state, key) };
  if (state.asking !== undefined) return answered(state, state.asking, key);
  const calm = { ...state, remark: '' };
  if (state.page !== 'main') return left(calm, key);
  if (snapshot === undefined) return key === 'q' ? { state, action: { kind: 'quit' } } : { state };
  return onMain(calm, key, snapshot);
}

/** Any key goes back to the main page, but for q, which quits from everywhere. */
function left(state: TopState, key: string): Press {
  if (key === 'q') return { state, action: { kind: 'quit' } };
  return { state: { ...state, page: 'main' } };
}

function onMain(state: TopState, key: string, snapshot: SnapshotEvent): Press {
  const rows = topRows(state, snapshot);
  const at = rows.findIndex((row) => rowId(row) === state.selected);
  const row = rows[at];
  switch (key) {
    case 'q':
      return { state, action: { kind: 'quit' } };
    case '?':
    case 'h':
      return { state: { ...state, page: 'help' } };
    case 'up':
    case 'k':
      return { state: select(state, rows, at === -1 ? rows.length - 1 : at - 1) };
    case 'down':
    case 'j':
      return { state: select(state, rows, at + 1) };
    case 'return':
      return row === undefined
        ? { state: { ...state, remark: 'select a job or a peer first (↑ ↓)' } }
        : { state: { ...state, page: 'details' } };
    case 's': {
      const next = TOP_ORDERS[(TOP_ORDERS.indexOf(state.order) + 1) % TOP_ORDERS.length] ?? 'name';
      return { state: { ...state, order: next, remark: `peers by ${next}` } };
    }
    case '/':
      return { state: { ...state, isTyping: true, filter: '' } };
    case 'escape':
      return { state: { ...state, filter: '', selected: undefined } };
    case 'p':
      return { state: { ...state, isPaused: !state.isPaused } };
    case 'b':
      return best(state, row, rows);
    case 'd':
      return { state: askToDrain(state, row) };
    case 'c':
      return { state: askToCancel(state, row, rows) };
    default:
      return { state };
  }
}

function select(state: TopState, rows: readonly TopRow[], at: number): TopState {
  const row = rows[Math.min(rows.length - 1, Math.max(0, at))];
  return { ...state, selected: row === undefined ? undefined : rowId(row) };
}

/** The selected job, or the only one that runs: nobody has to aim at the one line that there is. */
function jobMeant(row: TopRow | undefined, rows: readonly TopRow[]): JobView | undefined {
  if (row?.kind === 'job') return row.job;
  const running = rows.flatMap((known) =>
    known.kind === 'job' && known.job.state === 'running' ? [known.job] : [],
  );
  return running.length === 1 ? running[0] : undefined;
}

function best(state: TopState, row: TopRow | undefined, rows: readonly TopRow[]): Press {
  const newest = rows.find((known) => known.kind === 'job');
  const job = jobMeant(row, rows) ?? (newest?.kind === 'job' ? newest.job : undefined);
  if (job === undefined) return { state: { ...state, remark: 'there is no job yet' } };
  return { state: { ...state, page: 'best' }, action: { kind: 'best', job: job.id } };
}

function askToCancel(state: TopState, row: TopRow | undefined, rows: readonly TopRow[]): TopState {
  const job = jobMeant(row, rows);
  if (job === undefined) return { ...state, remark: 'select the job first (↑ ↓)' };
  if (job.state !== 'running') return { ...state, remark: `${job.id} has ended` };
  const question = `cancel ${job.id} (${job.name})?`;
  return { ...state, asking: { kind: 'cancel', target: job.id, question } };
}

function askToDrain(state: TopState, row: TopRow | undefined): TopState {
  if (row?.kind !== 'peer') return { ...state, remark: 'select a peer first (↑ ↓)' };
  const { id, name, state: health } = row.peer;
  if (health === 'lost') return { ...state, remark: `${name} is lost` };
  const kind = health === 'draining' ? 'undrain' : 'drain';
  const question =
    kind === 'drain' ? `let ${name} take no more work?` : `let ${name} take work again?`;
  return { ...state, asking: { kind, target: id, question } };
}

function answered(state: TopState, asked: TopOrderToMesh, key: string): Press {
  const next = { ...state, asking: undefined };
  return key === 'y'
    ? { state: next, action: asked }
    : { state: { ...next, remark: 'nothing was done' } };
}

function typed(state: TopState, key: string): TopState {
  switch (key) {
    case 'return':
      return { ...state, isTyping: false };
    case 'escape':
      return { ...state, isTyping: false, filter: '' };
    case 'backspace':
      return { ...state, filter: state.filter.slice(0, -1) };
    default: {
      const isText = Array.from(key).length === 1 && key >= ' ';
      return isText ? { ...state, filter: (state.filter + key).slice(0, FILTER_CHARS_MAX) } : state;
    }
  }
}
