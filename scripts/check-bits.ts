// Same bits everywhere: runs bits-digest.ts under several versions of Node, on this processor and on another one by
// emulation, and compares. Exit 1 when one digest differs.
//
//   node scripts/check-bits.ts [--values 1000000] [--node 22,24,26] [--dir DIR]
//
// Needs npm's registry for the other versions (kept under DIR, default: a folder of the system's temporary one), and
// for arm64 on x64 qemu-aarch64 with the libraries of libc6-arm64-cross, libstdc++6-arm64-cross, libatomic1-arm64-cross.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: flags } = parseArgs({
  options: {
    values: { type: 'string', default: '1000000' },
    node: { type: 'string', default: '22,24,26' },
    dir: { type: 'string', default: join(tmpdir(), 'mesh-check-bits') },
  },
});
const DIGEST = fileURLToPath(new URL('bits-digest.ts', import.meta.url));
const ARM_LIBRARIES = '/usr/aarch64-linux-gnu';

type Digests = Readonly<Record<string, string>>;

const results: { name: string; digests: Digests }[] = [];
for (const version of flags.node.split(',')) {
  for (const arch of ['x64', 'arm64']) {
    const name = `Node ${version}, ${arch}`;
    const began = performance.now();
    const digests = digestsOf(nodeBinary(version, arch), arch);
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    process.stdout.write(`${name}: ${Object.keys(digests).length} digests in ${seconds} s\n`);
    results.push({ name, digests });
  }
}
let differing = 0;
const [first] = results;
for (const what of Object.keys(first?.digests ?? {})) {
  const others = results.filter(({ digests }) => digests[what] !== first?.digests[what]);
  differing += others.length;
  const verdict = others.length === 0 ? 'same' : `DIFFERS: ${others.map((o) => o.name).join('; ')}`;
  process.stdout.write(`${what.padEnd(16)} ${first?.digests[what]?.slice(0, 16)} ${verdict}\n`);
}
const engines = new Set(Object.entries(first?.digests ?? {}).flatMap(engineDigest));
if (engines.size > 1) {
  process.stdout.write('the engines differ\n');
  differing++;
}
process.stdout.write(`${results.length} runtimes, ${differing} differences\n`);
process.exitCode = differing === 0 && results.length > 1 ? 0 : 1;

function engineDigest([name, digest]: [string, string]): string[] {
  return name.startsWith('job, ') ? [digest] : [];
}

/** Where the binary of that version is; fetched when it is not there yet. */
function nodeBinary(version: string, arch: string): string {
  const name = `node-linux-${arch}`;
  const prefix = join(flags.dir, `${arch}-${version}`);
  const binary = join(prefix, 'node_modules', name, 'bin', 'node');
  if (existsSync(binary)) return binary;
  mkdirSync(prefix, { recursive: true });
  writeFileSync(join(prefix, 'package.json'), '{ "private": true }\n');
  const npm = ['install', '--no-audit', '--no-fund', '--force', '--os=linux', `--cpu=${arch}`];
  run('npm', [...npm, '--prefix', prefix, `${name}@${version}`], prefix);
  return binary;
}

function digestsOf(binary: string, arch: string): Digests {
  const isForeign = arch !== process.arch;
  const command = isForeign && arch === 'arm64' ? 'qemu-aarch64' : binary;
  const before = command === binary ? [] : ['-L', ARM_LIBRARIES, binary];
  const options = ['--no-warnings', '--experimental-strip-types'];
  const output = run(command, [...before, ...options, DIGEST, flags.values], process.cwd());
  return JSON.parse(output) as Digests;
}

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (error !== undefined) throw new Error(`cannot run ${command}: ${error.message}`);
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr.slice(-2000)}`);
  return stdout;
}
