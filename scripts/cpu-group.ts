// A cpu cgroup (v1 or v2) that makes the processes in it slower, as a hot laptop or a busy neighbour would.
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const V1 = '/sys/fs/cgroup/cpu';
const V2 = '/sys/fs/cgroup';
/** Microseconds: shorter periods throttle more evenly, and 20 ms is two slices of a busy kernel. */
const PERIOD_US = 20_000;

export class CpuGroup {
  readonly #path: string;
  readonly #isV1: boolean;

  private constructor(path: string, isV1: boolean) {
    this.#path = path;
    this.#isV1 = isV1;
  }

  /** undefined where this user may not make one. */
  static make(name: string): CpuGroup | undefined {
    const isV1 = existsSync(join(V1, 'cpu.cfs_quota_us'));
    const path = join(isV1 ? V1 : V2, `${name}-${process.pid}`);
    try {
      mkdirSync(path);
      const group = new CpuGroup(path, isV1);
      group.limit(1);
      return group;
    } catch {
      return undefined;
    }
  }

  add(pid: number): void {
    writeFileSync(join(this.#path, 'cgroup.procs'), String(pid));
  }

  /** Cores that the group may use at most; 1 and more: no limit (a peer needs a little beside its slot). */
  limit(cores: number): void {
    const quota = cores >= 1 ? -1 : Math.round(cores * PERIOD_US);
    if (this.#isV1) {
      writeFileSync(join(this.#path, 'cpu.cfs_period_us'), String(PERIOD_US));
      writeFileSync(join(this.#path, 'cpu.cfs_quota_us'), String(quota));
    } else {
      writeFileSync(join(this.#path, 'cpu.max'), `${quota < 0 ? 'max' : quota} ${PERIOD_US}`);
    }
  }

  /** Once its processes have ended. */
  async remove(): Promise<void> {
    for (let tries = 0; tries < 100; tries++) {
      if (readFileSync(join(this.#path, 'cgroup.procs'), 'utf8').trim() === '') break;
      await delay(20);
    }
    rmdirSync(this.#path);
  }
}
