// This machine's own part: its Node, its key, its port, and whether a node of the mesh runs.
import { createServer } from 'node:net';
import { join } from 'node:path';
import { failure, type Finding, ok, warning } from './finding.ts';
import type { System } from './system.ts';

const NODE_MIN = [22, 18] as const;
export const DEFAULT_PORT = 7420;

export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const isNew = major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
  return isNew
    ? ok('node-version', `Node ${version.replace(/^v/, '')}`)
    : failure(
        'node-version',
        `Node ${version} is too old; mesh needs ${NODE_MIN.join('.')} or newer`,
        'brew install node, or https://nodejs.org',
      );
}

/** Files that prove who this machine is: for its user's eyes only. */
export async function checkPrivacy(system: System, home: string): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const [name, what] of [
    ['key', 'mesh key'],
    ['identity', 'identity of this peer'],
  ] as const) {
    const file = join(home, name);
    const mode = await system.mode(file);
    if (mode === undefined) continue;
    const shown = mode.toString(8).padStart(4, '0');
    findings.push(
      (mode & 0o077) === 0
        ? ok(`${name}-mode`, `the ${what} is private (${shown})`)
        : failure(
            `${name}-mode`,
            `the ${what} can be read by other users (${shown})`,
            `chmod 600 '${file}'`,
            ['chmod', '600', file],
          ),
    );
  }
  return findings;
}

/** Failures that nobody foresaw leave a report each. */
export async function checkReports(system: System, home: string): Promise<readonly Finding[]> {
  const folder = join(home, 'reports');
  const reports = (await system.list(folder)).filter((name) => name.endsWith('.txt'));
  const newest = reports.toSorted().at(-1);
  if (newest === undefined) return [];
  const count = reports.length === 1 ? 'a report' : `${reports.length} reports`;
  return [
    warning(
      'reports',
      `${count} of unexpected errors, the newest ${newest.slice(0, 10)}`,
      `cat '${join(folder, newest)}'; when it is dealt with: rm -r '${folder}'`,
    ),
  ];
}

/** Asked only while no node runs here: whether one could listen. */
export function checkPort(port = DEFAULT_PORT): Promise<Finding> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve(
        error.code === 'EADDRINUSE'
          ? warning('port', `port ${port} is taken by another program`, 'mesh join --port 7421')
          : warning(
              'port',
              `cannot listen on port ${port}: ${error.message}`,
              'mesh join --port 7421',
            ),
      ),
    );
    server.listen(port, '127.0.0.1', () =>
      server.close(() => resolve(ok('port', `port ${port} is free`))),
    );
  });
}
