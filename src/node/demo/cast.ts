// Who plays in the demo: four pretend Macs, told apart by speed alone. Each has one slot, so that slots say nothing
// about speed, and a throttle inside the slot, which the core neither sets nor sees: it has to measure.

import type { Throttle } from '../cli/join-options.ts';

export interface Role {
  readonly name: string;
  /** For people. What a throttle makes of a slot depends on what else the computer does, so no figure. */
  readonly pace: string;
  /** Its share is that of one core. */
  readonly throttle: Throttle;
}

const PARTS = [
  { name: 'studio', pace: 'fast', part: 1 },
  { name: 'mbp', pace: 'fast', part: 1 },
  { name: 'mini', pace: 'slower', part: 0.5 },
  { name: 'air', pace: 'slowest', part: 0.25 },
] as const;

/** The peer that the job is submitted to. */
export const SUBMITTER = 'studio';

/** Cores that are left to the plain loop in this process, which runs beside the mesh, and to four main threads. */
const CORES_LEFT = 1.1;
/** Cores' worth of work of all four together. More makes more of a big computer; less is checked sooner: the plain
 * loop does the same work on one core, so at 2 it takes twice as long as the mesh. */
const MESH_CORES_MAX = 2;
/** Also on one core, where everything takes turns. */
const MESH_CORES_MIN = 0.5;

/** ms of work that a slot does at full speed first. Its compiler needs 0.4-0.7 s (Linux x64); a slow machine takes two or
 * three times as long for that, a slot with a throttle of 0.08 would take 9 s, in which it shows a thousandth of its
 * speed. More is no longer needed, and has to be waited for before the speed is measured. */
const FULL_SPEED_MS = 800;

/** `cores`: how many this process may use. */
export function castFor(cores: number): readonly Role[] {
  const sum = PARTS.reduce((total, { part }) => total + part, 0);
  const meshCores = Math.min(MESH_CORES_MAX, Math.max(MESH_CORES_MIN, cores - CORES_LEFT));
  return PARTS.map(({ name, pace, part }) => ({
    name,
    pace,
    throttle: { share: (part * meshCores) / sum, afterMs: FULL_SPEED_MS },
  }));
}
