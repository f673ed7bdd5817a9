// mesh service as a person uses it, against a systemctl that starts and stops what the files say.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isAlive } from '../../src/node/alive.ts';
import type { Machine } from './harness/machine.ts';
import { LOOPBACK, MachineRoom } from './harness/machine-room.ts';
import { systemctlFor } from './harness/systemctl-stub.ts';
import { until } from './harness/until.ts';

let room: MachineRoom;
let box: Machine;
let userHome: string;

beforeAll(async () => {
  room = await MachineRoom.open();
  userHome = join(room.path, 'user');
  const env = await systemctlFor(room.path, userHome);
  box = room.machine('box', { env });
});

afterAll(() => room.close());

async function filesOf(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

test('installs, replaces the node that runs, and says what to type next', async () => {
  await box.join(LOOPBACK);
  const before = await box.status();
  const words = ['service', 'install', '--slots', '1', '--name', 'box', ...LOOPBACK];
  const { status, stdout, stderr } = await box.mesh(words);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain('the node runs now and after every login');
  expect(stdout).toContain('mesh service uninstall');
  const after = await box.status();
  expect(after.self.pid).not.toBe(before.self.pid);
  expect(after).toMatchObject({ slots: 1, self: { id: before.self.id, name: 'box' } });
  expect((await box.mesh(['service', 'status'])).stdout).toContain('mesh.service), running');
  expect(await box.json(['service', 'status'])).toMatchObject({
    isInstalled: true,
    isRunning: true,
  });
});

test('a node that is killed is systemd’s to start; restart, stop and start do as they say', async () => {
  const { self } = await box.status();
  expect(await box.mesh(['service', 'restart'])).toMatchObject({ status: 0 });
  await until('the old one is gone', async () => !(await isAlive(self.pid)));
  expect((await box.status()).self.pid).not.toBe(self.pid);
  expect(await box.mesh(['service', 'stop'])).toMatchObject({ status: 0, stdout: 'stopped\n' });
  await until('it is stopped', async () => !(await box.isRunning()));
  expect(await box.mesh(['service', 'start'])).toMatchObject({ status: 0 });
  expect(await box.isRunning()).toBe(true);
});

test('uninstalls without a trace but the data, and says how to forget the machine', async () => {
  const { self } = await box.status();
  const { status, stdout } = await box.mesh(['service', 'uninstall']);
  expect(status).toBe(0);
  expect(stdout).toContain('the service is gone');
  expect(stdout).toContain(`rm -rf '${box.home}'`);
  expect(stdout).toContain('mesh peers --forget NAME');
  await until('its node has ended', async () => !(await isAlive(self.pid)));
  expect(await filesOf(userHome)).toEqual([]);
  expect(await filesOf(join(box.home, 'bin'))).toEqual([]);
  expect(await filesOf(join(box.home, 'lib'))).toEqual([]);
  expect(await box.mesh(['service', 'start'])).toMatchObject({ status: 2 });
  expect(await box.mesh(['service', 'uninstall'])).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('no service was installed'),
  });
});

test('that cannot be started is not left half installed', async () => {
  await writeFile(join(room.path, 'broken'), '');
  const { status, stderr } = await box.mesh(['service', 'install', ...LOOPBACK]);
  expect(status).toBe(1);
  expect(stderr).toContain('Failed to connect to bus');
  expect(await filesOf(userHome)).toEqual([]);
  expect(await filesOf(join(box.home, 'bin'))).toEqual([]);
  expect(await readFile(join(room.path, 'asked'), 'utf8')).toContain('--user daemon-reload');
});
