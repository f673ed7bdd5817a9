// Finds and ends processes by a directory that appears in their command line: the only trace of a background
// node whose parent has long gone.
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

export interface ProcessView {
  readonly pid: number;
  readonly commandLine: string;
}

/** Living processes that name `path`, but for this one. */
export async function processesNaming(path: string): Promise<ProcessView[]> {
  const all = process.platform === 'linux' ? await listProc() : await listPs();
  return all.filter(({ pid, commandLine }) => pid !== process.pid && commandLine.includes(path));
}

export function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** A dead process that nobody waited for has an empty command line, and so is not listed. */
async function listProc(): Promise<ProcessView[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return Promise.all(
    names.map(async (name) => {
      const words = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
      return { pid: Number(name), commandLine: words.replaceAll('\0', ' ') };
    }),
  );
}

async function listPs(): Promise<ProcessView[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', '-o', 'pid=,command=']);
  return stdout.split('\n').map((line) => {
    const [pid = '0', ...words] = line.trim().split(' ');
    return { pid: Number(pid), commandLine: words.join(' ') };
  });
}
