// What the linter's own rules of this repository refuse: in src/kernel whatever has other bits on another machine, in all of
// src whatever makes code of text. Each way to do it, planted in a file of its own.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url).pathname;

const OTHER_BITS = [
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
const SAME_BITS = ['Math.sqrt(2);', 'Math.imul(2, 3);', 'Number(key.toPrecision(12));', 'key * 2;'];

const CODE_FROM_TEXT = [
  "import vm from 'node:vm';",
  "import { runInThisContext } from 'vm';",
  "export { Script } from 'node:vm';",
  "const a = await import('node:vm');",
  'const b = await import(key);',
  'const c = await import(`./${key}.ts`);',
  "const d = eval('1');",
  "const e = new Function('return 1');",
  "const f = Function('return 1');",
  "setTimeout('key()', 1);",
  'setInterval(`${key}()`, 1);',
];
const CODE_AS_WRITTEN = [
  "const g = await import('./other.ts');",
  'setTimeout(() => key, 1);',
  'export { key } from "./other.ts";',
];

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mesh-lint-'));
  const settings = readFileSync(join(root, '.oxlintrc.json'), 'utf8');
  const plugin = './scripts/lint/';
  expect(settings).toContain(plugin);
  const moved = settings.replaceAll(plugin, join(root, 'scripts/lint/'));
  writeFileSync(join(folder, '.oxlintrc.json'), moved);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each([
  ['src/kernel/engine', /same-bits|no-restricted-globals/, OTHER_BITS, SAME_BITS],
  ['src/node/net', /no-code-from-data|no-eval|no-new-func/, CODE_FROM_TEXT, CODE_AS_WRITTEN],
])('in %s every planted line is an error of the linter, and no harmless one', (...given) => {
  const [place, rules, planted, harmless] = given;
  mkdirSync(join(folder, place), { recursive: true });
  writeFileSync(join(folder, place, 'planted.ts'), [...planted, ...harmless].join('\n'));
  const refused = new Set(faultyLines(place, rules));
  expect(planted.filter((_, at) => !refused.has(at + 1))).toEqual([]);
  expect(harmless.filter((_, at) => refused.has(planted.length + at + 1))).toEqual([]);
});

/** Lines that the rules complain of. */
function faultyLines(place: string, rules: RegExp): number[] {
  const oxlint = join(root, 'node_modules/.bin/oxlint');
  let text: string;
  try {
    text = execFileSync(process.execPath, [oxlint, '--format', 'json', place], {
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
    .filter(({ code }) => rules.test(code))
    .flatMap(({ labels }) => labels.map(({ span }) => span.line));
}
