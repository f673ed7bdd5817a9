// Two whole peers that compute with different kernels: a job runs on the one whose kernel it names, and on no other.
import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { submitPrepared } from '../../src/node/control/submission.ts';
import { Daemon, type DaemonOptions } from '../../src/node/daemon.ts';
import { kernelIds } from '../../src/node/jobs/kernel-id.ts';
import { until } from './harness/until.ts';

let folder = '';
const daemons: Daemon[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mesh-kernel-'));
});

afterEach(async () => {
  await Promise.all(daemons.splice(0).map((daemon) => daemon.close()));
  await rm(folder, { recursive: true, force: true });
});

test('a peer with another kernel gets no work, and says why', async () => {
  const ours = await start('ours', {});
  const others = kernelIds().map((id) => id.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')));
  const { port } = (await ours.handlers.status()).self;
  const theirs = await start('theirs', { kernels: others, peers: [`127.0.0.1:${port}`] });
  await until('both see each other', async () => (await peersOf(ours)).length === 2);
  expect((await peersOf(ours)).map(({ kernels }) => kernels)).toEqual([kernelIds(), others]);

  const spec = { version: 1, kernel: 'spin', tasks: 400, costMs: 5, mode: 'sleep', seed: 1 };
  await submitPrepared(ours.handlers, {
    name: 'spin',
    kernel: 'spin',
    specBytes: new TextEncoder().encode(JSON.stringify(spec)),
    datasets: [],
    taskCount: spec.tasks,
  });
  const ending = await until('the job has ended', () => jobsOf(ours)[0]?.ending);
  expect(ending).toMatchObject({ state: 'done', done: 400, failed: 0 });
  const made = (await peersOf(ours)).map(({ name, done }) => [name, done]);
  expect(made).toEqual([
    ['ours', 400],
    ['theirs', 0],
  ]);
  const sentence = `it was submitted under the kernel ${kernelIds()[1]}, and this peer has`;
  const log = await until('it has said why', async () => {
    const text = await readFile(join(folder, 'theirs', 'logs', 'node.ndjson'), 'utf8');
    return text.includes(sentence) ? text : undefined;
  });
  expect(log).toContain('a peer computes with another kernel');
  expect(jobsOf(theirs)).toHaveLength(1);
});

/** With the key of the first one. */
async function start(name: string, options: Partial<DaemonOptions>): Promise<Daemon> {
  const home = join(folder, name);
  await mkdir(home, { recursive: true, mode: 0o700 });
  if (daemons.length > 0) await copyFile(join(folder, 'ours', 'key'), join(home, 'key'));
  const place = { listen: '127.0.0.1', port: 0, slots: 2 };
  const daemon = await Daemon.start({
    home,
    name,
    version: '0.1.0',
    peers: [],
    ...place,
    ...options,
  });
  daemons.push(daemon);
  return daemon;
}

async function peersOf(daemon: Daemon) {
  return (await daemon.handlers.peers()).peers;
}

function jobsOf(daemon: Daemon) {
  return daemon.core.status(performance.now()).jobs;
}
