// What no tool keeps: headers, file length, names that say nothing, the tree of ARCHITECTURE.md, links, and that
// the linter still catches an arrow drawn the wrong way.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const SOURCE_LINES_MAX = 400;
const TEST_LINES_MAX = 600;
const BANNED_NAMES = /^(utils?|helpers?|common|shared|types|manager|data|misc)(\.|$)/;

function filesUnder(folder: string, ending: string): string[] {
  const full = join(ROOT, folder);
  if (!existsSync(full)) return [];
  return readdirSync(full, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .toSorted();
}

const sources = [...filesUnder('src', '.ts'), ...filesUnder('scripts', '.ts')];
const tests = filesUnder('test', '.ts');
const pages = [
  'README.md',
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  ...filesUnder('docs', '.md'),
  ...filesUnder('src', '.md'),
  ...filesUnder('examples', '.md'),
];
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

function lines(file: string): number {
  return read(file).split('\n').length - 1;
}

/** Without comments. */
function code(file: string): string {
  return read(file)
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/\/\/.*$/gm, '');
}

describe('every source file', () => {
  it('opens with what it is', () => {
    expect([...sources, ...tests].filter((file) => !/^(#!.*\n)?\/\/ \S/.test(read(file)))).toEqual(
      [],
    );
  });

  it('is short enough to be one noun', () => {
    expect(sources.filter((file) => lines(file) > SOURCE_LINES_MAX)).toEqual([]);
    expect(tests.filter((file) => lines(file) > TEST_LINES_MAX)).toEqual([]);
  });

  it('has a name that says what is in it', () => {
    expect(
      [...sources, ...tests].filter((file) =>
        file.split('/').some((part) => BANNED_NAMES.test(part)),
      ),
    ).toEqual([]);
  });

  it('leaves nothing for later', () => {
    // Written so that this file does not find itself.
    const later = /TO(?=DO)DO|FIX(?=ME)ME|X(?=XX)XX/;
    expect([...sources, ...tests, ...pages].filter((file) => later.test(read(file)))).toEqual([]);
  });

  it('of the kernel multiplies and never raises to a power: ** is Math.pow, whose bits differ between machines', () => {
    expect(
      filesUnder('src/kernel', '.ts').filter((file) => /[\w)\]]\s*\*\*=?\s*[\w(]/.test(code(file))),
    ).toEqual([]);
  });
});

describe('every test', () => {
  it('runs', () => {
    const off = /\b(it|test|describe)\.(skip|to(?=do)do|only)\b/;
    expect(tests.filter((file) => off.test(read(file)))).toEqual([]);
  });
});

describe('the pages', () => {
  it('link to files that exist', () => {
    const broken = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\(([^)#\s]+)(#[^)]*)?\)/g)]
        .map((match) => match[1] ?? '')
        .filter((target) => !/^[a-z]+:/.test(target))
        .filter((target) => !existsSync(join(ROOT, dirname(page), target)))
        .map((target) => `${page} -> ${target}`),
    );
    expect(broken).toEqual([]);
  });

  it('of the architecture show the real tree', () => {
    const drawn = [
      ...read('ARCHITECTURE.md').matchAll(
        /^ {2,}((?:src|scripts|test|examples|docs|bin)\/[\w/-]*)\s/gm,
      ),
    ]
      .map((match) => (match[1] ?? '').replace(/\/$/, ''))
      .toSorted();
    const real = ['src', 'test'].flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => relative(ROOT, join(entry.parentPath, entry.name))),
    );
    const rooms = real.filter(
      (folder) => folder.startsWith('src/') || folder.split('/').length === 2,
    );
    expect(drawn).toEqual([...rooms, 'bin', 'docs', 'examples', 'scripts'].toSorted());
  });
});

describe('the lockfile', () => {
  it('names the builds of every platform, so that npm ci works on a Mac too', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { optionalDependencies?: Record<string, string> }>;
    };
    const locked = Object.keys(packages);
    const wanted = Object.values(packages).flatMap((entry) =>
      Object.keys(entry.optionalDependencies ?? {}),
    );
    const missing = wanted.filter((name) => !locked.some((path) => path.endsWith(`/${name}`)));
    expect(missing).toEqual([]);
  });

  it('names no registry', () => {
    expect(read('package-lock.json')).not.toContain('"resolved"');
  });
});

describe('the linter', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mesh-arrows-'));
  const RULES = './scripts/lint/';
  const settings = readFileSync(join(ROOT, '.oxlintrc.json'), 'utf8');
  writeFileSync(join(folder, '.oxlintrc.json'), settings.replaceAll(RULES, join(ROOT, RULES)));
  afterAll(() => rmSync(folder, { recursive: true }));

  function complaints(file: string, line: string): string {
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `// Seeded.\n${line}\n`);
    const run = spawnSync(process.execPath, [join(ROOT, 'node_modules/.bin/oxlint'), file], {
      cwd: folder,
      encoding: 'utf8',
    });
    rmSync(path);
    return run.stdout + run.stderr;
  }

  it.each([
    ['src/kernel/seeded.ts', "export { a } from '../deque/deque.ts';"],
    ['src/kernel/engine/seeded.ts', "export { a } from '../../stealing/core.ts';"],
    ['src/deque/seeded.ts', "export { a } from '../stealing/core.ts';"],
    ['src/stealing/seeded.ts', "export { a } from '../kernel/job.ts';"],
    ['src/stealing/seeded.ts', "export { a } from 'node:fs';"],
    ['src/stealing/simulate/seeded.ts', "export { a } from '../../node/wire/codec.ts';"],
    ['src/node/wire/seeded.ts', "export { a } from '../net/host.ts';"],
    ['src/node/net/seeded.ts', "export { a } from '../threads/pool.ts';"],
    ['src/node/threads/seeded.ts', "export { a } from '../net/host.ts';"],
    ['src/node/store/seeded.ts', "export { a } from '../net/host.ts';"],
    ['src/node/control/seeded.ts', "export { a } from '../daemon.ts';"],
    ['src/node/cli/seeded.ts', "export { a } from '../net/host.ts';"],
    ['src/node/cli/seeded.ts', "export { a } from 'libp2p';"],
  ])('catches a wrong arrow out of %s: %s', (file, line) => {
    expect(complaints(file, line)).toContain('no-restricted-imports');
  });

  it.each([
    ['src/stealing/seeded.ts', 'export const now = Date.now();'],
    ['src/kernel/seeded.ts', 'export const luck = Math.random();'],
    ['src/kernel/seeded.ts', 'export const power = Math.pow(2, 0.5);'],
    ['src/deque/seeded.ts', 'export const later = setTimeout;'],
  ])('catches clock, luck and unportable maths in %s: %s', (file, line) => {
    expect(complaints(file, line)).toMatch(/no-restricted-(globals|properties)|kernel.same-bits/);
  });

  it.each([
    ['src/stealing/seeded.ts', "export { a } from '../deque/deque.ts';"],
    ['src/node/net/seeded.ts', "export { a } from '../wire/codec.ts';"],
    ['src/node/threads/seeded.ts', "export { a } from '../../kernel/job.ts';"],
  ])('lets a right arrow out of %s pass: %s', (file, line) => {
    expect(complaints(file, line)).not.toContain('no-restricted-imports');
  });
});
