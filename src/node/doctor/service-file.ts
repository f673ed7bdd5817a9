// The service that starts the node at login, as it is installed: a Mac slows down background programs that do not
// say that they are interactive, and the node would be slow for no visible reason.
import { join } from 'node:path';
import { type Finding, ok, warning } from './finding.ts';
import type { System } from './system.ts';

const MAC_FILE = ['Library', 'LaunchAgents', 'dev.mesh.node.plist'] as const;
const LINUX_FILE = ['.config', 'systemd', 'user', 'mesh.service'] as const;

export async function checkServiceFile(system: System): Promise<readonly Finding[]> {
  const isMac = system.platform === 'darwin';
  const text = await system.read(join(system.userHome, ...(isMac ? MAC_FILE : LINUX_FILE)));
  if (text === undefined) return [ok('service', 'no service installed (mesh service install)')];
  if (!isMac) return [ok('service', 'the service is installed')];
  const type = /<key>ProcessType<\/key>\s*<string>([^<]*)<\/string>/.exec(text)?.[1];
  if (type === 'Interactive') return [ok('service', 'the service is installed (Interactive)')];
  if (type === 'Background') {
    return [ok('service', 'the service is installed and polite (Background): slow on purpose')];
  }
  return [
    warning(
      'service',
      `the service has ProcessType ${type ?? 'unset'}: macOS throttles its CPU and disk`,
      'mesh service install',
      ['mesh', 'service', 'install'],
    ),
  ];
}
