// Where the flags of a node may stand beside the command line, and which place wins.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { configJsonSchema } from '../../../src/node/cli/config-file.ts';
import { withEnvironment, withSettings } from '../../../src/node/cli/settings.ts';

const WAIT = { wait: '15s' };

let home: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'mesh-settings-'));
});

afterEach(() => rm(home, { recursive: true, force: true }));

function config(value: unknown): Promise<void> {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
  return writeFile(join(home, 'config.json'), text);
}

test('a flag beats the environment, which beats the file, whole value by whole value', async () => {
  await config({ name: 'of-file', slots: 4, port: 7421, peers: ['100.64.0.1', '100.64.0.2'] });
  const environment = { MESH_NAME: 'of-env', MESH_SLOTS: '6', MESH_PEERS: '100.64.0.3, studio' };
  expect(await withSettings(home, { ...WAIT, name: 'of-flag' }, environment)).toEqual({
    ...WAIT,
    name: 'of-flag',
    slots: '6',
    port: '7421',
    peer: ['100.64.0.3', 'studio'],
  });
  expect(await withSettings(home, { ...WAIT, peer: ['100.64.0.9'] }, environment)).toMatchObject({
    peer: ['100.64.0.9'],
  });
});

test('without a file and without variables the flags are the flags', async () => {
  const flags = { ...WAIT, slots: '2' };
  expect(await withSettings(home, flags, { MESH_SLOTS: '' })).toEqual(flags);
});

test('work: false of the file holds although --no-work is not typed', async () => {
  await config({ work: false, polite: true });
  expect(await withSettings(home, { ...WAIT, work: true }, {})).toEqual({
    ...WAIT,
    work: false,
    polite: true,
  });
});

test('a service takes along what the environment says, and leaves the file to the node', async () => {
  await config({ slots: 4 });
  expect(withEnvironment(WAIT, { MESH_MEMORY: '2G', MESH_AWAKE: 'yes', MESH_WORK: '0' })).toEqual({
    ...WAIT,
    memory: '2G',
    awake: true,
    work: false,
  });
});

test.each([
  [{ MESH_SLOTS: 'many' }, 'MESH_SLOTS must be a whole number from 1 to 1024, not "many"'],
  [{ MESH_LISTEN: '0.0.0.0' }, 'MESH_LISTEN must be one address, not all (0.0.0.0)'],
  [{ MESH_POLITE: 'perhaps' }, 'MESH_POLITE must be 1 or 0, not "perhaps"'],
  [{ MESH_PEERS: 'a b' }, 'MESH_PEERS must be an address, not "a b"'],
  [{ MESH_KEEP: 'for ever' }, 'MESH_KEEP must be like 30d or 90d,50GB, not "for ever"'],
])('a variable that cannot be read is named: %o', async (environment, message) => {
  await expect(withSettings(home, WAIT, environment)).rejects.toMatchObject({
    code: 'USAGE',
    message,
  });
});

describe('a config.json that is wrong', () => {
  test.each<[string, unknown, readonly string[]]>([
    ['no JSON', '{ "name": "a",\n}', [':2:1 error: this is not JSON']],
    ['a misspelt key', { slot: 4 }, [':2:3 error: unknown key "slot" (did you mean "slots"?)']],
    ['a wrong kind', { slots: '4' }, [':2:12 error slots: ', 'expected a number, not text']],
    [
      'a value out of range',
      { slots: 4000 },
      [':2:12 error slots: "slots" must be a whole number'],
    ],
    [
      'two mistakes at once',
      { port: 70_000, allowNet: ['0.0.0.0/0'] },
      ['error port: "port" must be', 'error allowNet: "allowNet" must be a range'],
    ],
  ])('has %s: named with its line', async (_what, value, parts) => {
    await config(value);
    const error = await withSettings(home, WAIT, {}).catch((fault: unknown) => fault as Error);
    expect(error).toMatchObject({ code: 'BAD_INPUT', hint: 'mesh schema config' });
    for (const part of parts) expect((error as Error).message).toContain(part);
    expect((error as Error).message).toContain(join(home, 'config.json'));
  });
});

test('the schema for editors knows every key of the file', () => {
  const { properties } = configJsonSchema() as { properties: object };
  expect(Object.keys(properties)).toEqual([
    '$schema',
    'name',
    'peers',
    'slots',
    'memory',
    'listen',
    'port',
    'keep',
    'allowNet',
    'polite',
    'awake',
    'work',
    'keepTrying',
  ]);
});
