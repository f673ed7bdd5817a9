// mesh doctor: what is wrong with this machine or its mesh, and the command that mends it.
import { examine, isHealthy } from '../doctor/doctor.ts';
import type { Finding } from '../doctor/finding.ts';
import { lookAtSystem } from '../doctor/system.ts';
import { EXIT_CODES } from '../errors.ts';
import { type Context, refuseVia } from './context.ts';
import { renderFindings } from './output/doctor-screen.ts';
import { printJson } from './output/json.ts';
import { renderTsv } from './output/tsv.ts';

/** Exits 1 when something is broken; warnings are worth a look and no more. */
export async function doctor(context: Context): Promise<number> {
  refuseVia(context, 'doctor');
  const findings = await examine(context.home, lookAtSystem());
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
