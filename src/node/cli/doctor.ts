// mesh doctor: what is wrong with this machine or its mesh, and the command that mends it.
import { examine, isHealthy } from '../doctor/doctor.ts';
import type { Finding } from '../doctor/finding.ts';
import { examinePeer } from '../doctor/one-peer.ts';
import { lookAtSystem } from '../doctor/system.ts';
import { EXIT_CODES, MeshError } from '../errors.ts';
import { type Context, refuseVia } from './context.ts';
import { renderFindings } from './output/doctor-screen.ts';
import { printJson } from './output/json.ts';
import { renderTsv } from './output/tsv.ts';

export interface DoctorFlags {
  readonly peer?: string;
  readonly fix?: boolean;
  readonly yes?: boolean;
}

/** Exits 1 when something is broken; warnings are worth a look and no more. */
export async function doctor(context: Context, flags: DoctorFlags): Promise<number> {
  refuseVia(context, 'doctor');
  const system = lookAtSystem();
  const look = (): Promise<readonly Finding[]> =>
    flags.peer === undefined
      ? examine(context.home, system)
      : examinePeer(context.home, system, flags.peer);
  if (flags.fix === true && flags.yes !== true && (!context.canAsk || context.json)) {
    throw new MeshError(
      'USAGE',
      'mesh doctor --fix asks before each command, and nobody is there',
      {
        hint: 'mesh doctor --fix --yes',
      },
    );
  }
  let findings = await look();
  if (flags.fix === true) {
    const { mend } = await import('./mend.ts');
    if (!context.json) print(context, findings, false);
    if (await mend(context, findings, flags.yes === true)) findings = await look();
  }
  const isFine = isHealthy(findings);
  print(context, findings, isFine);
  return isFine ? 0 : EXIT_CODES.INTERNAL;
}

function print(context: Context, findings: readonly Finding[], isFine: boolean): void {
  const { out } = context;
  if (context.json) printJson(out, { v: 1, ok: isFine, findings });
  else if (context.quiet) return;
  else if (context.plain) {
    const columns = ['level', 'id', 'text', 'fix'] as const;
    const rows = findings.map((finding) => columns.map((name) => finding[name] ?? ''));
    out.line(renderTsv(columns, rows));
  } else out.line(renderFindings(findings, out.columns, out.paint).join('\n'));
}
