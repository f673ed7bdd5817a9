// mesh top in a real terminal: what it shows, what the keys do, and what it leaves behind.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ControlServer } from '../../src/node/control/server.ts';
import { controlSocketPath } from '../../src/node/control/socket.ts';
import { FakePeer, jobView, snapshot } from '../unit/control/fake-peer.ts';
import { mesh, MESH } from './cli-process.ts';
import { hasTmux, TmuxScreen } from './harness/tmux.ts';
import { until } from './harness/until.ts';

const mustRun = process.env['MESH_TEST_NAMESPACES'] === 'required';
const { version } = JSON.parse(
  await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string };

let home: string;
let peer: FakePeer;
let server: ControlServer;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'mesh-top-'));
  peer = new FakePeer();
  server = await startServer();
});

afterAll(async () => {
  await server.close({ graceMs: 0 });
  await rm(home, { recursive: true, force: true });
});

function startServer(): Promise<ControlServer> {
  return ControlServer.start({ socketPath: controlSocketPath(home), handlers: peer, version });
}

test('without a terminal it says what to type instead, and exits 2', async () => {
  const { status, stdout, stderr } = await mesh(['top'], { home });
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toBe('error: mesh top needs a terminal; use mesh peers --json -w\n');
});

describe.skipIf(!hasTmux && !mustRun)('in a terminal of 80 columns', () => {
  let screen: TmuxScreen;

  beforeAll(async () => {
    screen = await TmuxScreen.open({ columns: 80, rows: 24 }, { MESH_HOME: home });
    await screen.command('echo before');
    await screen.shows(/^before$/m);
    await screen.command(`'${process.execPath}' '${MESH}' top`);
    await screen.shows(/mesh top {2}2 peers {2}22 slots/);
  });

  afterAll(() => screen.close());

  beforeEach(async () => {
    await screen.type('Escape');
    await screen.shows(/mesh top/);
  });

  test('shows jobs, peers with their load, and steals, each line whole', async () => {
    const text = await screen.text();
    expect(text).toMatch(
      /j-7f3a {2}strategies\.json {2}━+╌+ +61% {2}88\.0\/s {2}18 s {2}3 failed$/m,
    );
    expect(text).toMatch(/studio ● +ok +12\/12 +311 +37\.2 +42% +0 +▁▄█/);
    expect(text).toMatch(/STEALS .*mbp-m3 ← studio 16 .*air ← mbp-m3 \(empty\)/);
    for (const line of await screen.lines()) expect(line.length).toBeLessThanOrEqual(80);
  });

  test('follows what the node says', async () => {
    const changed = snapshot({ jobs: { v: 1, jobs: [jobView({ done: 3997 })] } });
    peer.firstSnapshot = changed;
    for (const tell of peer.observers) tell(changed);
    await screen.shows(/j-7f3a .* 100%/);
  });

  test('asks before it cancels, and takes anything but y for no', async () => {
    await screen.type('c');
    await screen.shows(/cancel j-7f3a \(strategies\.json\)\?/);
    await screen.type('n');
    await screen.shows(/nothing was done/);
    await screen.type('c');
    await screen.shows(/cancel j-7f3a/);
    await screen.type('y');
    await screen.shows(/cancelled j-7f3a/);
  });

  test('shows the best of the job, the details of a peer, and its keys', async () => {
    await screen.type('b');
    await screen.shows(/ema-cross fast=8 slow=50/);
    await screen.type('x');
    await screen.type('Down', 'Down', 'Down', 'Enter');
    await screen.shows(/address {4}100\.77\.179/);
    await screen.type('x', '?');
    await screen.shows(/pause the screen/);
    await screen.type('x');
  });

  test('filters and sorts', async () => {
    await screen.type('s', 's');
    await screen.shows(/QUEUE▾/);
    await screen.type('/');
    await screen.type('m', 'b', 'p', 'Enter');
    await until('studio is hidden', async () => !(await screen.text()).includes('studio ●'));
    await screen.type('Escape');
    await screen.shows(/studio ●/);
  });

  test('fits itself to a smaller terminal, and survives the node', async () => {
    await screen.resize(40, 12);
    await screen.shows(/^ mesh top {2}2 peers/m);
    for (const line of await screen.lines()) expect(line.length).toBeLessThanOrEqual(40);
    await screen.resize(80, 24);
    await server.close({ graceMs: 0 });
    await screen.shows(/the node on this machine stopped/);
    server = await startServer();
    await until('it is back', async () => !(await screen.text()).includes('stopped'));
  });

  test('leaves the screen as it was', async () => {
    await screen.type('q');
    const text = await screen.shows(/^before$/m);
    expect(text).not.toContain('mesh top  ');
    await until('nobody observes', () => peer.observers.size === 0);
    await screen.command('echo after');
    await screen.shows(/^after$/m);
  });
});
