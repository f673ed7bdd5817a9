// A list command must not pay for what it does not use: no verb reaches libp2p, zod or the kernel except through
// the doors named here, and those are loaded when called.
import { build, type Metafile } from 'esbuild';
import { expect, test } from 'vitest';

const DOORS = [
  './config-file.ts',
  './parquet-file.ts',
  '../bench/cluster-test.ts',
  '../bench/machine-bench.ts',
  '../control/printed-schema.ts',
  '../daemon.ts',
  '../demo/demo.ts',
  '../jobfile/prepare.ts',
  '../jobfile/editor-schema.ts',
];

test('the command line loads commander, and everything heavier by a door', async () => {
  const { metafile } = await build({
    entryPoints: ['src/node/main.ts'],
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    external: DOORS,
    outdir: 'dist',
    write: false,
    metafile: true,
  });
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
  const packages = imports
    .filter(({ external, path }) => external === true && !path.startsWith('node:'))
    .map(({ path }) => path);
  expect([...new Set(packages)].filter((path) => !DOORS.includes(path))).toEqual(['commander']);
});

test('what every command loads first is small', async () => {
  const { metafile } = await build({
    entryPoints: ['src/node/main.ts'],
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    external: DOORS,
    outdir: 'dist',
    write: false,
    metafile: true,
  });
  const first = staticInputs(metafile, 'dist/main.js');
  expect(first.filter((input) => input.startsWith('src/node/cli/')).length).toBeGreaterThan(3);
  expect(first).not.toContain('src/node/control/client.ts');
  for (const verb of ['submit', 'join', 'results', 'peers', 'follow']) {
    expect(first).not.toContain(`src/node/cli/${verb}.ts`);
  }
});

function staticInputs({ outputs }: Metafile, entry: string): string[] {
  const output = outputs[entry];
  const chunks = (output?.imports ?? []).filter((used) => used.kind === 'import-statement');
  return [
    ...Object.keys(output?.inputs ?? {}),
    ...chunks.flatMap(({ path }) =>
      path in outputs ? staticInputs({ inputs: {}, outputs }, path) : [],
    ),
  ];
}
