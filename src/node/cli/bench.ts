// mesh bench: what this machine is worth; mesh bench --mesh: what the whole mesh is, in an older cluster's two tests.
import type { Context } from './context.ts';
import { connectPeer, refuseVia } from './context.ts';
import { parseNumber } from './options.ts';
import { renderClusterTests, renderMachineBench } from './output/bench-screen.ts';
import { printJson } from './output/json.ts';
import { MeshError } from '../errors.ts';

export interface BenchFlags {
  readonly mesh?: boolean;
  readonly seconds: string;
}

const SECONDS_MAX = 600;

export async function bench(context: Context, flags: BenchFlags): Promise<number> {
  const { out } = context;
  if (flags.mesh === true) {
    const peer = await connectPeer(context);
    const { runClusterTests } = await import('../bench/cluster-test.ts');
    const tests = await runClusterTests(peer, (text) => {
      if (!context.quiet && !context.json) context.err.line(text);
    });
    if (context.json) printJson(out, { v: 1, tests });
    else if (!context.quiet) out.line(renderClusterTests(tests, out.columns, out.paint).join('\n'));
    return 0;
  }
  refuseVia(context, 'bench');
  const seconds = parseNumber(flags.seconds, '--seconds');
  if (seconds <= 0 || seconds > SECONDS_MAX) {
    throw new MeshError('USAGE', `--seconds must be between 0 and ${SECONDS_MAX}`);
  }
  const { benchMachine } = await import('../bench/machine-bench.ts');
  const machine = await benchMachine(context.version, seconds);
  if (context.json) printJson(out, { v: 1, ...machine });
  else if (!context.quiet) out.line(renderMachineBench(machine, out.columns, out.paint).join('\n'));
  return 0;
}
