// What an older cluster left behind: a Ray that still runs, and agents that start one at every login. They take the
// cores for which this machine is asked.
import { basename, join } from 'node:path';
import { type Command, type Finding, ok, warning } from './finding.ts';
import type { System } from './system.ts';

/** Ray's own processes; a path with "ray" in it is none. */
const RAY_PROCESS = /(^|\/)(raylet|gcs_server)(\s|$)|(^|\s)ray::/;
const RAY_START = /\bray(<\/string>\s*<string>|\s+)start\b|\braylet\b|\bgcs_server\b/;

export async function checkLeftovers(system: System): Promise<readonly Finding[]> {
  return [...(await checkRay(system)), ...(await checkAgents(system))];
}

async function checkRay(system: System): Promise<readonly Finding[]> {
  const text = await system.run('ps', ['-A', '-o', 'pid=,command=']);
  if (text === undefined) return [];
  const found = text.split('\n').flatMap((line) => {
    const [, pid, command = ''] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
    return pid !== undefined && RAY_PROCESS.test(command) ? [pid] : [];
  });
  return found.length === 0
    ? [ok('ray', 'no Ray runs here')]
    : [
        warning(
          'ray',
          `Ray still runs here (${found.length} processes, pid ${found[0]})`,
          'ray stop --force',
          ['ray', 'stop', '--force'],
        ),
      ];
}

async function checkAgents(system: System): Promise<readonly Finding[]> {
  const isMac = system.platform === 'darwin';
  const folder = isMac
    ? join(system.userHome, 'Library', 'LaunchAgents')
    : join(system.userHome, '.config', 'systemd', 'user');
  const ending = isMac ? '.plist' : '.service';
  const findings: Finding[] = [];
  for (const name of await system.list(folder)) {
    const file = join(folder, name);
    const text = name.endsWith(ending) ? await system.read(file) : undefined;
    if (text === undefined || !RAY_START.test(text)) continue;
    const label = /<key>Label<\/key>\s*<string>([^<]+)<\/string>/.exec(text)?.[1];
    const unit = basename(name, ending);
    const stop: Command = isMac
      ? ['launchctl', 'bootout', `gui/${system.uid}/${label ?? unit}`]
      : ['systemctl', '--user', 'disable', '--now', unit];
    findings.push(
      warning(
        'old-agent',
        `${file} starts a Ray worker at every login`,
        `${stop.join(' ')} && rm '${file}'`,
        stop,
        ['rm', file],
      ),
    );
  }
  return findings;
}
