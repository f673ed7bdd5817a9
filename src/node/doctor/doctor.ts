// mesh doctor: every check, in the order in which a person would ask. None of them changes anything.
import { controlSocketPath, probeSocket } from '../control/socket.ts';
import { checkDisk } from './disk.ts';
import { type Finding, warning } from './finding.ts';
import { checkLeftovers } from './leftovers.ts';
import { checkNode, checkPort, checkPrivacy, checkReports } from './machine.ts';
import { checkMesh, lookAtMesh } from './mesh.ts';
import { checkPower } from './power.ts';
import { checkServiceFile } from './service-file.ts';
import type { System } from './system.ts';
import { checkTailscale } from './tailnet.ts';

export async function examine(home: string, system: System): Promise<readonly Finding[]> {
  const report = await lookAtMesh(home);
  const addresses = report?.peers.peers.map(({ addr }) => addr) ?? [];
  const groups = await Promise.all([
    report === undefined ? noNode(home) : Promise.resolve(checkMesh(report, system.platform)),
    checkPrivacy(system, home),
    checkDisk(home),
    checkTailscale(system, addresses),
    checkPower(system),
    checkServiceFile(system),
    checkLeftovers(system),
    checkReports(system, home),
  ]);
  return [checkNode(process.version), ...groups.flat()];
}

async function noNode(home: string): Promise<readonly Finding[]> {
  const state = await probeSocket(controlSocketPath(home));
  const text =
    state === 'stale'
      ? 'a node ended here without a goodbye; its work is safe'
      : 'no node runs on this machine';
  return [warning('node', text, 'mesh join', ['mesh', 'join']), await checkPort()];
}

/** Whether anything is broken; warnings are not. */
export function isHealthy(findings: readonly Finding[]): boolean {
  return findings.every(({ level }) => level !== 'failure');
}
