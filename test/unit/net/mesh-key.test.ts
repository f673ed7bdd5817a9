// The mesh key on disk, and what it proves.
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadIdentity } from '../../../src/node/net/identity.ts';
import { MeshKey, parseKeyLine, type ProofBinding } from '../../../src/node/net/mesh-key.ts';
import { Playground } from './test-peer.ts';

let ground: Playground;
let home: string;

beforeEach(async () => {
  ground = await Playground.open();
  home = await ground.home();
});

afterEach(() => ground.close());

describe('the key file', () => {
  test('is made once, as one line that only its user can read', async () => {
    const key = await MeshKey.open(home);
    const text = await readFile(join(home, 'key'), 'utf8');
    expect(text).toBe(`${key.line}\n`);
    expect(text).toMatch(/^mesh1-[A-Za-z0-9_-]{43}\n$/);
    expect((await stat(join(home, 'key'))).mode & 0o777).toBe(0o600);
    expect((await MeshKey.open(home)).fingerprint).toBe(key.fingerprint);
    expect(key.fingerprint).toMatch(/^[0-9a-f]{8}$/);
  });

  test('is unused until it admits somebody, and that is remembered', async () => {
    const key = await MeshKey.open(home);
    expect(key.used).toBe(false);
    await key.markUsed();
    expect((await MeshKey.open(home)).used).toBe(true);
  });

  test('counts as used when a person copied it here, whatever the record of another says', async () => {
    const other = await ground.home();
    await MeshKey.open(other);
    expect((await MeshKey.open(await ground.home(other))).used).toBe(true);
    await MeshKey.open(home);
    await writeFile(join(home, 'key'), await readFile(join(other, 'key')));
    const copied = await MeshKey.open(home);
    expect([copied.used, copied.origin]).toEqual([true, undefined]);
  });

  test('survives a damaged record, on the safe side', async () => {
    const key = await MeshKey.open(home);
    await writeFile(join(home, 'mesh.json'), '{"v":1');
    const again = await MeshKey.open(home);
    expect([again.fingerprint, again.used]).toEqual([key.fingerprint, true]);
  });

  test('that holds something else is an error that says what to do', async () => {
    await writeFile(join(home, 'key'), 'hunter2\n');
    await expect(MeshKey.open(home)).rejects.toMatchObject({ code: 'BAD_INPUT' });
    expect(parseKeyLine('mesh1-short')).toBeUndefined();
  });

  test('remembers the login under which it was made, and never another', async () => {
    const key = await MeshKey.open(home);
    await key.recordOrigin({ login: 'me@example.com' });
    await key.recordOrigin({ login: 'you@example.com' });
    expect((await MeshKey.open(home)).origin).toEqual({ login: 'me@example.com' });
  });

  test('gives way to an adopted one, which is used and has its own origin', async () => {
    const key = await MeshKey.open(home);
    const other = await MeshKey.open(await ground.home());
    await key.adopt(other.bytes, { tags: ['tag:mesh'] });
    const again = await MeshKey.open(home);
    expect([again.line, again.used, again.origin]).toEqual([
      other.line,
      true,
      { tags: ['tag:mesh'] },
    ]);
  });
});

describe('a proof', () => {
  const binding: ProofBinding = {
    role: 'dialler',
    dialler: 'A',
    listener: 'B',
    diallerNonce: new Uint8Array(32).fill(1),
    listenerNonce: new Uint8Array(32).fill(2),
  };

  test('holds for one key, one role, two ids and two nonces, and for nothing else', async () => {
    const key = await MeshKey.open(home);
    const other = await MeshKey.open(await ground.home());
    const proof = key.prove(binding);
    expect(key.verifies(binding, proof)).toBe(true);
    const changed: ProofBinding[] = [
      { ...binding, role: 'listener' },
      { ...binding, dialler: 'C' },
      { ...binding, listener: 'C' },
      { ...binding, dialler: 'B', listener: 'A' },
      { ...binding, diallerNonce: new Uint8Array(32).fill(3) },
      { ...binding, listenerNonce: new Uint8Array(32).fill(3) },
    ];
    for (const wrong of changed) expect(key.verifies(wrong, proof)).toBe(false);
    expect(other.verifies(binding, proof)).toBe(false);
    expect(key.verifies(binding, proof.subarray(1))).toBe(false);
  });
});

describe('the identity', () => {
  test('is made once, and only its user can read it', async () => {
    const path = join(home, 'identity');
    const { id } = await loadIdentity(path);
    expect((await loadIdentity(path)).id).toBe(id);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('that is damaged is an error, not a new peer', async () => {
    const path = join(home, 'identity');
    await writeFile(path, 'nonsense');
    await expect(loadIdentity(path)).rejects.toMatchObject({ code: 'INTERNAL' });
  });
});
