// The code that a machine shows until it is let in.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ownCode } from '../../../src/node/net/passes.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mesh-passes-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

it('is one code, also for two dials that are refused at once', async () => {
  expect(await ownCode(directory, false)).toBeUndefined();
  const shown = await Promise.all([ownCode(directory, true), ownCode(directory, true)]);
  const kept = await ownCode(directory, false);
  expect(kept).toMatch(/^[A-Z2-9]{5}-[A-Z2-9]{5}$/);
  expect(shown).toEqual([kept, kept]);
});
