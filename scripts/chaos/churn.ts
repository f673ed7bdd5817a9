// Load and coming and going for half an hour: what the peers hold must not grow. Two peers stay and are measured; a
// third is killed and comes back all the time.
import { readdir, readFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Rng } from '../../src/stealing/rng.ts';
import { Arena, type Fighter, type RunningJob } from './arena.ts';

/** Megabytes between the beginning (after a fifth of the time) and the end. A heap breathes by tens of them. */
const GROWTH_MB_MAX = 40;
const DESCRIPTORS_MORE_MAX = 5;
/** ms between two looks. */
const LOOK_MS = 2_000;

interface Sample {
  readonly atMs: number;
  readonly rssMb: number;
  readonly descriptors: number;
}

export async function churn(minutes: number): Promise<{ wrong: string | undefined; text: string }> {
  const arena = await Arena.open(randomBytes(2).toString('hex'), 3);
  const rng = new Rng(1);
  const [first, second, comer] = arena.fighters as [Fighter, Fighter, Fighter];
  const samples = new Map<Fighter, Sample[]>([
    [first, []],
    [second, []],
  ]);
  const endMs = performance.now() + minutes * 60_000;
  let jobs = 0;
  let kills = 0;
  try {
    const looking = look(samples, endMs);
    const coming = (async (): Promise<void> => {
      while (performance.now() < endMs) {
        await delay(2_000 + rng.nextFloat() * 6_000);
        await comer.kill();
        kills++;
        await delay(rng.nextFloat() * 3_000);
        await arena.start(comer);
      }
    })();
    const working = (async (): Promise<string | undefined> => {
      while (performance.now() < endMs) {
        const batch: RunningJob[] = [];
        for (let i = 0; i < 3; i++) batch.push(await arena.submit(first, rng, 700));
        for (const job of batch) {
          const wrong = await arena.verdict(second, job);
          if (wrong !== undefined) return wrong;
          jobs++;
        }
      }
      return undefined;
    })();
    const wrong = await working;
    await Promise.all([looking, coming]);
    const lines = [...samples].map(([{ name }, list]) => growth(name, list));
    const text = [`${minutes} min, ${jobs} jobs, ${kills} kills`, ...lines.map(({ line }) => line)];
    return { wrong: wrong ?? lines.find(({ isBad }) => isBad)?.line, text: text.join('\n') };
  } finally {
    await arena.close();
  }
}

async function look(samples: ReadonlyMap<Fighter, Sample[]>, endMs: number): Promise<void> {
  while (performance.now() < endMs) {
    for (const [{ pid }, list] of samples) {
      const status = await readFile(`/proc/${pid}/status`, 'utf8');
      const rssMb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024;
      const descriptors = (await readdir(`/proc/${pid}/fd`)).length;
      list.push({ atMs: performance.now(), rssMb, descriptors });
    }
    await delay(LOOK_MS);
  }
}

/** Means of a fifth of the samples, after the first fifth and at the end. */
function growth(name: string, samples: readonly Sample[]): { line: string; isBad: boolean } {
  const fifth = Math.max(1, Math.floor(samples.length / 5));
  const early = samples.slice(fifth, 2 * fifth);
  const late = samples.slice(-fifth);
  const mean = (list: readonly Sample[], of: (sample: Sample) => number): number =>
    list.reduce((sum, sample) => sum + of(sample), 0) / Math.max(1, list.length);
  const rss = [early, late].map((list) => mean(list, ({ rssMb }) => rssMb)) as [number, number];
  const open = [early, late].map((list) => mean(list, ({ descriptors }) => descriptors)) as [
    number,
    number,
  ];
  const isBad = rss[1] - rss[0] > GROWTH_MB_MAX || open[1] - open[0] > DESCRIPTORS_MORE_MAX;
  const line = `${name}: RSS ${rss[0].toFixed(0)} -> ${rss[1].toFixed(0)} MB, descriptors ${open[0].toFixed(1)} -> ${open[1].toFixed(1)}`;
  return { line, isBad };
}
