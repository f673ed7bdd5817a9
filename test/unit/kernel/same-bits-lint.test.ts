// The linter refuses in src/kernel whatever has other bits on another machine: each way to reach such a function,
// planted in a file of its own.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = new URL('../../../', import.meta.url).pathname;

const PLANTED = [
  'const { exp } = Math;',
  "Math['exp'](1);",
  'Math.exp(1);',
  'Math.hypot(3, 4);',
  'Math[key](1);',
  'const M = Math;',
  'globalThis.Math.exp(1);',
  "Reflect.get(Math, 'exp');",
  'const c = key ** 3;',
  'key **= 2;',
  'key.toFixed(2);',
  'key.toLocaleString();',
  "key.localeCompare('b');",
  "Date.parse('2020-01-01');",
  'new Date();',
  'new Intl.NumberFormat();',
];
const HARMLESS = ['Math.sqrt(2);', 'Math.imul(2, 3);', 'Number(key.toPrecision(12));', 'key * 2;'];

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mesh-lint-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('every planted line is an error of the linter, and no harmless one', () => {
  const settings = readFileSync(join(root, '.oxlintrc.json'), 'utf8');
  const plugin = './scripts/lint/same-bits.ts';
  expect(settings).toContain(plugin);
  writeFileSync(join(folder, '.oxlintrc.json'), settings.replace(plugin, join(root, plugin)));
  mkdirSync(join(folder, 'src/kernel/engine'), { recursive: true });
  writeFileSync(join(folder, 'src/kernel/engine/planted.ts'), [...PLANTED, ...HARMLESS].join('\n'));
  const refused = new Set(faultyLines());
  expect(PLANTED.filter((_, at) => !refused.has(at + 1))).toEqual([]);
  expect(HARMLESS.filter((_, at) => refused.has(PLANTED.length + at + 1))).toEqual([]);
});

/** Lines that the two rules complain of. */
function faultyLines(): number[] {
  const oxlint = join(root, 'node_modules/.bin/oxlint');
  let text: string;
  try {
    text = execFileSync(process.execPath, [oxlint, '--format', 'json', 'src'], {
      cwd: folder,
      encoding: 'utf8',
    });
  } catch (fault) {
    // Findings are exit status 1.
    text = (fault as { stdout: string }).stdout;
  }
  const { diagnostics } = JSON.parse(text) as {
    diagnostics: { code: string; labels: { span: { line: number } }[] }[];
  };
  return diagnostics
    .filter(({ code }) => /same-bits|no-restricted-globals/.test(code))
    .flatMap(({ labels }) => labels.map(({ span }) => span.line));
}
