// Real processes: a peer that is killed is known to be gone at once, and found again when it is back; one that is
// frozen is not taken for gone.
import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Playground, type TestPeer } from '../unit/net/test-peer.ts';

let ground: Playground;
let survivor: TestPeer;
let survivorHome: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  ground = await Playground.open();
  survivorHome = await ground.home();
  survivor = await ground.peer({ home: survivorHome, ip: '127.0.0.2' });
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await ground.close();
});

interface RunningPeer {
  readonly child: ChildProcess;
  readonly id: string;
  readonly port: number;
}

async function run(home: string, port = 0, incarnation = 1): Promise<RunningPeer> {
  const script = new URL('./net-peer.ts', import.meta.url).pathname;
  const args = [script, home, '127.0.0.3', String(port), String(incarnation), survivor.place];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  child.stdout.setEncoding('utf8');
  for await (const line of child.stdout.iterator({ destroyOnReturn: false })) {
    const said = JSON.parse((line as string).split('\n')[0]!) as { id: string; port: number };
    return { child, id: said.id, port: said.port };
  }
  throw new Error('the peer said nothing');
}

test('a killed peer is gone within a second and known to be dead; restarted, it is back', async () => {
  const home = await ground.home(survivorHome);
  const first = await run(home);
  await survivor.untilCame(first.id as never);
  const before = performance.now();
  first.child.kill('SIGKILL');
  const gone = await survivor.untilGone(first.id as never);
  expect(performance.now() - before).toBeLessThan(1000);
  expect(gone.refused).toBe(true);
  await run(home, first.port, 2);
  await survivor.untilCame(first.id as never, 2);
});

test('a frozen peer keeps its link: its silence is for the core to judge', async () => {
  const home = await ground.home(survivorHome);
  const { child, id } = await run(home);
  await survivor.untilCame(id as never);
  child.kill('SIGSTOP');
  expect(survivor.host.send(id as never, { kind: 'grantConfirmed', grant: 1 })).toBe(true);
  expect(survivor.host.peers()).toHaveLength(1);
  child.kill('SIGCONT');
  expect(survivor.heard.map((event) => event.kind)).toEqual(['came']);
});
