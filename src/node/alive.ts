// Whether another process still runs. Having a pid is not enough: a process that has ended keeps it until its
// parent asks for the status, and the parent of a background node, process 1, never asks in many containers.
import { readFile } from 'node:fs/promises';

export async function isAlive(pid: number): Promise<boolean> {
  return hasPid(pid) && !(await hasEnded(pid));
}

function hasPid(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Only Linux tells without starting a program; elsewhere process 1 is one that asks. */
async function hasEnded(pid: number): Promise<boolean> {
  // `PID (NAME) STATE …`, where NAME may hold brackets of its own.
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
}
