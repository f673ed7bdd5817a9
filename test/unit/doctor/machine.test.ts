// The doctor's eyes, on a machine of stub programs and files.
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkDisk, flushTime, freeSpace } from '../../../src/node/doctor/disk.ts';
import type { Finding } from '../../../src/node/doctor/finding.ts';
import { checkLeftovers } from '../../../src/node/doctor/leftovers.ts';
import {
  checkNode,
  checkPort,
  checkPrivacy,
  checkReports,
} from '../../../src/node/doctor/machine.ts';
import { checkPower } from '../../../src/node/doctor/power.ts';
import { checkServiceFile } from '../../../src/node/doctor/service-file.ts';
import { lookAtSystem, type System } from '../../../src/node/doctor/system.ts';
import { checkTailscale } from '../../../src/node/doctor/tailnet.ts';

let place: string;

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'mesh-doctor-'));
  await mkdir(join(place, 'bin'));
});

afterEach(() => rm(place, { recursive: true, force: true }));

function machine(platform: NodeJS.Platform = 'darwin'): System {
  return lookAtSystem({ platform, userHome: place, path: join(place, 'bin'), morePlaces: [] });
}

/** A program that answers `words` and refuses everything else. */
async function stub(program: string, words: string, answer: string): Promise<void> {
  const file = join(place, 'bin', program);
  await writeFile(`${file}.txt`, `${answer}\n`);
  const script = `#!/bin/sh\n[ "$*" = "${words}" ] || exit 1\nwhile IFS= read -r line; do printf '%s\\n' "$line"; done < '${file}.txt'\n`;
  await writeFile(file, script);
  await chmod(file, 0o755);
}

async function put(file: string, text: string): Promise<string> {
  const path = join(place, file);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, text);
  return path;
}

const pmset = (battery: number, low: number): string =>
  [
    'Battery Power:',
    ' Sleep On Power Button 1',
    ` lowpowermode         ${low}`,
    ` sleep                ${battery} (sleep prevented by caffeinate)`,
    'AC Power:',
    ' lowpowermode         0',
    ' sleep                0',
    ' displaysleep         10',
  ].join('\n');

const tailnet = (more: object): string =>
  JSON.stringify({
    BackendState: 'Running',
    Peer: {
      a: { DNSName: 'air.tail1.ts.net.', TailscaleIPs: ['100.1.1.2'], Online: true, ...more },
      b: { DNSName: 'tv.tail1.ts.net.', TailscaleIPs: ['100.1.1.9'], Active: true, Relay: 'fra' },
    },
  });

const plist = (type: string): string =>
  `<plist><dict><key>Label</key><string>dev.mesh.node</string>${type}</dict></plist>`;

function said(findings: readonly Finding[]): readonly string[] {
  return findings.map(({ level, id }) => `${level} ${id}`);
}

test('a Node that is too old is a failure', () => {
  expect(checkNode('v22.18.0')).toMatchObject({ level: 'ok', text: 'Node 22.18.0' });
  expect(checkNode('v24.1.0').level).toBe('ok');
  expect(checkNode('v22.17.1').level).toBe('failure');
  expect(checkNode('v20.20.2').level).toBe('failure');
});

describe('private files', () => {
  test('that others can read are failures with the chmod that mends them', async () => {
    const key = await put('key', 'secret');
    await chmod(key, 0o644);
    const identity = await put('identity', 'secret');
    await chmod(identity, 0o600);
    const findings = await checkPrivacy(machine(), place);
    expect(said(findings)).toEqual(['failure key-mode', 'ok identity-mode']);
    expect(findings[0]).toMatchObject({ fix: `chmod 600 '${key}'` });
  });

  test('that are not there yet are no finding', async () => {
    expect(await checkPrivacy(machine(), place)).toEqual([]);
  });
});

describe('power', () => {
  test('that lets a Mac sleep is named with its source, and so is Low Power Mode', async () => {
    await stub('pmset', '-g custom', pmset(1, 1));
    const findings = await checkPower(machine());
    expect(said(findings)).toEqual([
      'ok sleep-mains',
      'warning sleep-battery',
      'warning low-power-battery',
    ]);
    expect(findings[1]).toMatchObject({
      text: 'this Mac sleeps after 1 min on battery, and its backtests wait',
      fix: 'mesh join --awake, or: sudo pmset -b sleep 0',
    });
  });

  test('is nothing to say elsewhere, or where pmset is missing', async () => {
    expect(await checkPower(machine('linux'))).toEqual([]);
    expect(await checkPower(machine())).toEqual([]);
  });
});

describe('leftovers', () => {
  test('are a Ray that runs, and none of what only has ray in its path', async () => {
    const calm = '  1 /sbin/launchd\n 70 vim /home/me/ray/notes\n 71 /usr/bin/x-ray --watch\n';
    await stub('ps', '-A -o pid=,command=', calm);
    expect(said(await checkLeftovers(machine()))).toEqual(['ok ray']);
    await stub('ps', '-A -o pid=,command=', `${calm} 812 /opt/ray/raylet --head\n 813 ray::IDLE\n`);
    expect(await checkLeftovers(machine())).toEqual([
      {
        id: 'ray',
        level: 'warning',
        text: 'Ray still runs here (2 processes, pid 812)',
        fix: 'ray stop --force',
        commands: [['ray', 'stop', '--force']],
      },
    ]);
  });

  test('are agents that start Ray at login, on macOS and on Linux', async () => {
    const agent = await put(
      'Library/LaunchAgents/com.me.worker.plist',
      '<plist><dict><key>Label</key><string>com.me.ray-worker</string><key>ProgramArguments</key>' +
        '<array><string>/opt/bin/ray</string>\n <string>start</string></array></dict></plist>',
    );
    await put('Library/LaunchAgents/other.plist', '<plist><string>array start</string></plist>');
    const unit = await put('.config/systemd/user/w.service', 'ExecStart=/opt/ray start --block\n');
    const uid = process.getuid?.();
    expect(await checkLeftovers(machine())).toMatchObject([
      { id: 'old-agent', fix: `launchctl bootout gui/${uid}/com.me.ray-worker && rm '${agent}'` },
    ]);
    expect(await checkLeftovers(machine('linux'))).toMatchObject([
      { id: 'old-agent', fix: `systemctl --user disable --now w && rm '${unit}'` },
    ]);
  });
});

describe('Tailscale', () => {
  test('is up, and a relay counts only on the way to a peer of the mesh', async () => {
    await stub('tailscale', 'status --json', tailnet({ Active: true, CurAddr: '1.2.3.4:1' }));
    expect(said(await checkTailscale(machine(), ['100.1.1.2']))).toEqual(['ok tailscale']);
    await stub('tailscale', 'status --json', tailnet({ Active: true, CurAddr: '', Relay: 'fra' }));
    expect(await checkTailscale(machine(), ['100.1.1.2'])).toMatchObject([
      { id: 'tailscale-relay', text: expect.stringContaining('air is reached') },
    ]);
  });

  test('that is stopped, silent, nonsense or not installed is told apart', async () => {
    expect(await checkTailscale(machine(), [])).toMatchObject([{ level: 'ok' }]);
    await stub('tailscale', 'status --json', JSON.stringify({ BackendState: 'Stopped' }));
    expect(await checkTailscale(machine(), [])).toMatchObject([
      { level: 'warning', text: 'Tailscale is not connected (Stopped)', fix: 'tailscale up' },
    ]);
    await stub('tailscale', 'status --json', '<html>');
    expect(await checkTailscale(machine(), [])).toEqual([]);
    await stub('tailscale', 'version', '1.80');
    expect(await checkTailscale(machine(), [])).toMatchObject([
      { text: 'Tailscale does not answer' },
    ]);
  });
});

describe('the service', () => {
  const file = 'Library/LaunchAgents/dev.mesh.node.plist';

  test.each([
    ['<key>ProcessType</key><string>Interactive</string>', 'ok'],
    ['<key>ProcessType</key>\n  <string>Background</string>', 'ok'],
    ['<key>ProcessType</key><string>Standard</string>', 'warning'],
    ['', 'warning'],
  ])('with %s is %s', async (type, level) => {
    await put(file, plist(type));
    expect(await checkServiceFile(machine())).toMatchObject([{ level }]);
  });
});

describe('the disk', () => {
  test('is measured where the home is, and nothing stays behind', async () => {
    expect(said(await checkDisk(place))).toEqual(['ok disk-space', 'ok disk-flush']);
    expect(await machine().list(place)).toEqual(['bin']);
    expect(await checkDisk(join(place, 'not-yet'))).toEqual([]);
  });

  test('is full, nearly full, or slow', () => {
    expect(freeSpace(50e6, '/x').level).toBe('failure');
    expect(freeSpace(1e9, '/x').level).toBe('warning');
    expect(flushTime(17).level).toBe('ok');
    expect(flushTime(200).level).toBe('warning');
  });
});

test('a port that another program has is named', async () => {
  const other = createServer();
  await new Promise<void>((listening) => other.listen(0, '127.0.0.1', () => listening()));
  const { port } = other.address() as { port: number };
  expect(await checkPort(port)).toMatchObject({ level: 'warning', id: 'port' });
  await new Promise((closed) => other.close(closed));
  expect(await checkPort(port)).toMatchObject({ level: 'ok' });
});

test('reports of unexpected errors are counted, with the newest named', async () => {
  expect(await checkReports(machine(), place)).toEqual([]);
  await put('reports/2026-01-05T10-00-00.000Z.txt', 'stack');
  const newest = await put('reports/2026-02-05T10-00-00.000Z.txt', 'stack');
  expect(await checkReports(machine(), place)).toMatchObject([
    {
      text: '2 reports of unexpected errors, the newest 2026-02-05',
      fix: expect.stringContaining(newest),
    },
  ]);
});
