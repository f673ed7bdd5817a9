// What the flags of a peer's process are for, tried in a process that has them.
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { PEER_FLAGS } from '../../src/node/peer-flags.ts';

test('a peer’s process and its threads make no code of text, and no object has a __proto__', () => {
  const look = `
    const tries = [() => eval('1'), () => new Function('return 1')(), () => ({}).__proto__.x];
    const seen = tries.map((attempt) => { try { return attempt(); } catch (e) { return e.name; } });
    console.log(seen.join(' '));
  `;
  const inThread = `
    const { Worker } = require('node:worker_threads');
    new Worker(${JSON.stringify(look)}, { eval: true });
    ${look}
  `;
  const out = execFileSync(process.execPath, [...PEER_FLAGS, '-e', inThread], { encoding: 'utf8' });
  expect(out.trim().split('\n')).toEqual([
    'EvalError EvalError TypeError',
    'EvalError EvalError TypeError',
  ]);
});
