// The ids of this peer's kernels: the version that people raise, and a digest of the golden rows as this very
// machine computes them. A job names the id it was submitted under, and only peers with the same one run its tasks:
// a row must not depend on who made it.
import { createHash } from 'node:crypto';
import { KERNEL_VERSIONS, goldenRows } from '../../kernel/golden.ts';
import type { JobSpec } from '../../kernel/spec.ts';

type KernelName = JobSpec['kernel'];

const NAMES: readonly KernelName[] = ['backtest', 'spin'];
/** Hex digits: 48 bits tell any two builds apart. */
const DIGEST_LENGTH = 12;

let own: readonly string[] | undefined;

/** Such as `backtest@1.0.0+6f0c2a91d3be`, one per kernel. The first call computes some 80 small backtests: 15 to
 * 25 ms in a process that has computed none (2-core x64 box, Node 24). */
export function kernelIds(): readonly string[] {
  own ??= NAMES.map((name) => `${name}@${KERNEL_VERSIONS[name]}+${digestOf(goldenRows(name))}`);
  return own;
}

/** The one among `ids` of the kernel that a job asks for by name. */
export function kernelIdOf(name: string, ids: readonly string[]): string | undefined {
  return ids.find((id) => id.startsWith(`${name}@`));
}

/** Why a peer with the kernels `ids` must not run a job of `wanted`; undefined when it may. */
export function kernelFault(wanted: string, ids: readonly string[]): string | undefined {
  if (ids.includes(wanted)) return undefined;
  const [name = ''] = wanted.split('@');
  const here = kernelIdOf(name, ids);
  if (here === undefined)
    return `it needs the kernel ${wanted}, and this peer has none called ${name}`;
  return `it was submitted under the kernel ${wanted}, and this peer has ${here}: their rows may differ. Install the same version of mesh on both`;
}

/** Whether every job of either can run on the other; a peer that does not say is not suspected. */
export function isSameKernel(
  one: readonly string[] | undefined,
  other: readonly string[] | undefined,
): boolean {
  if (one === undefined || other === undefined) return true;
  return one.length === other.length && one.every((id) => other.includes(id));
}

/** Of little-endian Float64, on every machine. */
function digestOf(rows: Float64Array): string {
  const bytes = new DataView(new ArrayBuffer(rows.length * 8));
  for (const [at, value] of rows.entries()) bytes.setFloat64(at * 8, value, true);
  return createHash('sha256')
    .update(new Uint8Array(bytes.buffer))
    .digest('hex')
    .slice(0, DIGEST_LENGTH);
}
