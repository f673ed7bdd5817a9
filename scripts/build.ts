// `npm run build`: the package as it is published. Everything is bundled, so that an install is one package and
// half a second; dist/ holds the program, the slot's own entry, the library, and the notices of what is inside.
import { existsSync, readFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';
import { writeDeclarations } from './declarations.ts';
import { manPage } from '../src/node/cli/man.ts';
import { describeProgram } from '../src/node/cli/program.ts';

const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');
const { version } = readManifest(root);

// Bundled CommonJS packages call require(); ESM has none.
const REQUIRE_BANNER =
  "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);";

/** Node's own modules by call instead of by import: to import one, Node reads all that it exports, getters too. Some 2 of
 * the 62 ms of `mesh peers`, measured in turns with a build without it. */
const BUILTINS_BY_CALL: Plugin = {
  name: 'builtins-by-call',
  setup(building) {
    building.onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const contents = text.replaceAll(
        /^import \{([^}]*)\} from ('node:[a-z_/]+');$/gm,
        (_, names: string, from: string) =>
          `const {${namesOf(names)}} = process.getBuiltinModule(${from});`,
      );
      return { contents, loader: 'ts' };
    });
  },
};

/** Of an import to those of a pattern, line by line; types go. */
function namesOf(names: string): string {
  return names.replaceAll(/\btype \w+(?: as \w+)?,?/g, '').replaceAll(/(\w+) as (\w+)/g, '$1: $2');
}

await rm(dist, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: {
    main: 'src/node/main.ts',
    // Threads are looked for beside the chunk that starts them, hence chunks without a folder.
    slot: 'src/node/threads/slot.ts',
    'parquet-thread': 'src/node/jobfile/parquet-thread.ts',
    index: 'src/index.ts',
  },
  outdir: dist,
  bundle: true,
  splitting: true,
  chunkNames: 'chunk-[hash]',
  format: 'esm',
  platform: 'node',
  target: 'node22.18',
  // A package without `exports` (jsonc-parser) has a CommonJS form whose inner requires cannot be bundled.
  mainFields: ['module', 'main'],
  // Names stay: they are what a stack of a bug report is read by.
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: true,
  sourcesContent: false,
  metafile: true,
  plugins: [BUILTINS_BY_CALL],
  define: { MESH_VERSION_BUNDLED: JSON.stringify(version) },
  banner: { js: REQUIRE_BANNER },
  logLevel: 'warning',
});
writeDeclarations(root);
await writeFile(join(dist, 'mesh.1'), manPage(describeProgram(version), version));
await writeFile(join(dist, 'THIRD-PARTY-NOTICES'), notices(metafile));

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

function readManifest(directory: string): Manifest {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Manifest;
}

/** Name, version, licence and licence text of every package whose code ended up in the bundle. */
function notices({ outputs }: Metafile): string {
  const inputs = Object.values(outputs).flatMap((output) => Object.keys(output.inputs));
  const packages = new Set(inputs.flatMap(packageOf));
  return [...packages]
    .toSorted()
    .map((directory) => {
      const { name, version, license } = readManifest(join(root, directory));
      const head = `${name} ${version} (${license ?? 'licence in its repository'})`;
      return [head, '-'.repeat(head.length), licenceText(directory)].join('\n');
    })
    .join('\n\n');
}

/** node_modules/@a/b/dist/x.js -> node_modules/@a/b */
function packageOf(input: string): string[] {
  const at = input.lastIndexOf('node_modules/');
  if (at === -1) return [];
  const parts = input.slice(at).split('/');
  const count = parts[1]?.startsWith('@') === true ? 3 : 2;
  return [input.slice(0, at) + parts.slice(0, count).join('/')];
}

function licenceText(directory: string): string {
  const names = ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'LICENSE-MIT', 'LICENCE', 'license'];
  const found = names.map((name) => join(root, directory, name)).find((file) => existsSync(file));
  return found === undefined ? '' : readFileSync(found, 'utf8').trim();
}
