// mesh doctor --fix by a real process on a home with a key that everybody can read: asked, refused, done.
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mesh, MESH } from './cli-process.ts';
import { hasTmux, TmuxScreen } from './harness/tmux.ts';

const mustRun = process.env['MESH_TEST_NAMESPACES'] === 'required';

let home: string;
let key: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'mesh-mend-'));
  key = join(home, 'key');
  await writeFile(key, `${'a'.repeat(64)}\n`);
  await chmod(key, 0o644);
});

afterEach(async () => {
  await mesh(['stop'], { home });
  await rm(home, { recursive: true, force: true });
});

async function keyMode(): Promise<string> {
  return ((await stat(key)).mode & 0o777).toString(8);
}

test('with nobody to ask it changes nothing and says how to go on', async () => {
  for (const words of [
    ['doctor', '--fix'],
    ['doctor', '--fix', '--no-input'],
  ]) {
    const { status, stdout, stderr } = await mesh(words, { home });
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('try: mesh doctor --fix --yes');
  }
  expect(await keyMode()).toBe('644');
});

describe.skipIf(!hasTmux && !mustRun)('on a terminal', () => {
  test('it asks before each command; no leaves things as they are, yes mends them', async () => {
    const screen = await TmuxScreen.open({ columns: 120, rows: 40 }, { MESH_HOME: home });
    const command = `'${process.execPath}' '${MESH}' doctor --fix`;
    try {
      await screen.command(command);
      await screen.shows(/run: mesh join \? \[y\/N\]/);
      await screen.type('n', 'Enter');
      await screen.shows(/run: chmod 600 \S+key \? \[y\/N\]/);
      await screen.type('Enter');
      await screen.command('echo over:$?');
      await screen.shows(/^over:1$/m);
      expect(await keyMode()).toBe('644');

      await screen.command(`clear; ${command}`);
      await screen.shows(/run: mesh join \? \[y\/N\]/);
      await screen.type('n', 'Enter');
      await screen.shows(/run: chmod 600 \S+key \? \[y\/N\]/);
      await screen.type('y', 'Enter');
      await screen.shows(/the mesh key is private \(0600\)/);
      expect(await keyMode()).toBe('600');
    } finally {
      await screen.close();
    }
  });

  test('Ctrl-C at a question runs nothing and exits 130', async () => {
    const screen = await TmuxScreen.open({ columns: 120, rows: 40 }, { MESH_HOME: home });
    try {
      await screen.command(`'${process.execPath}' '${MESH}' doctor --fix`);
      await screen.shows(/run: mesh join \? \[y\/N\]/);
      await screen.type('C-c');
      await screen.command('echo over:$?');
      await screen.shows(/^over:130$/m);
      expect(await keyMode()).toBe('644');
    } finally {
      await screen.close();
    }
  });
});
