// Alive or not, on processes that are and are not.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { isAlive } from '../../src/node/alive.ts';

test('a process that runs is alive; one whose parent was told of its end is not', async () => {
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()']);
  const pid = child.pid ?? 0;
  expect(await isAlive(pid)).toBe(true);
  child.stdin.end();
  await once(child, 'exit');
  expect(await isAlive(pid)).toBe(false);
});

test.runIf(process.platform === 'linux')(
  'a process that has ended is not alive, even while nobody asks for its status',
  async () => {
    // The shell becomes a program that does not know of the child it has; the child ends when it is told to.
    const script = 'exec 3<&0; cat <&3 >/dev/null & echo $!; exec 3<&-; exec sleep 60';
    const parent = spawn('sh', ['-c', script], { stdio: 'pipe' });
    const [said] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(said.toString());
    await expect.poll(() => readFile(`/proc/${parent.pid}/comm`, 'utf8')).toBe('sleep\n');
    parent.stdin.end();
    await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
    expect(process.kill(pid, 0)).toBe(true);
    parent.kill('SIGKILL');
  },
);
