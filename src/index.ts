// The library's face: what exists and stays. A peer is reached by its control socket, as the command does; a job file
// is checked before anything is submitted.
export {
  connect,
  type ConnectOptions,
  type Mesh,
  type MeshResult,
  type MeshRun,
  type SubmitOptions,
} from './node/library.ts';
export { ControlClient } from './node/control/client.ts';
export { submitPrepared, type Submission } from './node/control/submission.ts';
export type {
  JobEvent,
  JobsView,
  JobSummary,
  JobView,
  PeerShareView,
  PeersView,
  PeerView,
  ProgressEvent,
  RankedTask,
  ResultsView,
  RowsEvent,
  StatusView,
  SubmitView,
  TradesView,
} from './node/control/api.ts';
export type { ResultsQuery, SummaryQuery, WatchOptions } from './node/control/handlers.ts';
export { EXIT_CODES, type ErrorCode, MeshError } from './node/errors.ts';
export {
  formatProblems,
  type Prepared,
  type PreparedJob,
  prepareJob,
  type PrepareInput,
} from './node/jobfile/prepare.ts';
export type { Problem } from './node/jobfile/problem.ts';
