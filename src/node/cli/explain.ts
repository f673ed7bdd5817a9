// mesh explain TASK [JOB]: where a task is and why it is not further. The peer that answers knows its own part
// exactly; when another holds the task, that one is asked too.
import type { ExplainView } from '../control/placement-api.ts';
import { ControlClient } from '../control/client.ts';
import { MeshError } from '../errors.ts';
import { type Context, withPeer } from './context.ts';
import { parseWhole } from './options.ts';
import { formatDuration, printable } from './output/format.ts';
import { printJson } from './output/json.ts';

const TASK_MAX = 2 ** 31 - 1;

export async function explain(context: Context, taskText: string, job: string): Promise<number> {
  // The screens write tasks as s2328.
  const bounds = { min: 0, max: TASK_MAX };
  const task = parseWhole(taskText.replace(/^s/, ''), 'TASK', bounds);
  const own = await withPeer(context, (peer) => peer.explain(job, task));
  const view = own.place === 'elsewhere' ? await askHolders(context, own) : own;
  if (context.json) printJson(context.out, view);
  else if (!context.quiet) for (const line of renderExplained(view)) context.out.line(line);
  return 0;
}

/** The answer of the peer that has it; this peer's own when none says so. */
async function askHolders(context: Context, own: ExplainView): Promise<ExplainView> {
  for (const { id } of own.peers) {
    try {
      const peer = await ControlClient.connect(context.home, id);
      const view = await peer.explain(own.jobId, own.task);
      if (view.place !== 'elsewhere' && view.place !== 'missing') return view;
    } catch (error) {
      // A holder that does not answer is one of the reasons; the others may know.
      if (!(error instanceof MeshError)) throw error;
    }
  }
  return own;
}

export function renderExplained(view: ExplainView): string[] {
  const { task, job, place, why, peers, startsInMs, self } = view;
  const on = peers.length > 0 ? ` on ${peers.map(({ name }) => printable(name)).join(', ')}` : '';
  const soon = startsInMs === null ? '' : `, starts in about ${formatDuration(startsInMs)}`;
  const head = `task ${task} of ${job}: ${place}${on}${soon}`;
  return [head, ...why.map((text) => `  ${printable(text)}`), `  (as ${printable(self)} knows it)`];
}
