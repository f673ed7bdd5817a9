// `node scripts/build-simd.ts [--check]`: the AssemblyScript of src/kernel/simd as a module that TypeScript imports.
// The result is committed, so that the project runs without the compiler; --check fails when it is not what the
// sources give.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const target = join(root, 'src/kernel/fast/module.ts');

const folder = mkdtempSync(join(tmpdir(), 'mesh-simd-'));
const output = join(folder, 'kernel.wasm');
// The memory is the arena's: shared, of any size up to all that 32 bits address.
const { status } = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules/assemblyscript/bin/asc.js'),
    ...`src/kernel/simd/index.ts --runtime stub -O3 --converge --enable simd --enable threads
    --importMemory --sharedMemory --initialMemory 1 --maximumMemory 65536`.split(/\s+/),
    '-o',
    output,
  ],
  { cwd: root, stdio: 'inherit' },
);
if (status !== 0) process.exit(status ?? 1);
const base64 = readFileSync(output).toString('base64');
rmSync(folder, { recursive: true });

const text = `// Made by scripts/build-simd.ts from src/kernel/simd; do not edit.

/** The WebAssembly module, base64. */
export const KERNEL_WASM =
  '${base64}';
`;
if (!process.argv.includes('--check')) writeFileSync(target, text);
else if (readFileSync(target, 'utf8') !== text) {
  console.error(
    'src/kernel/fast/module.ts is not what src/kernel/simd gives: node scripts/build-simd.ts',
  );
  process.exit(1);
}
