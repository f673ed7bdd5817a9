// The ways in which a mesh is hurt, and how often each must have gone well. A run returns what went wrong, or nothing.
import { execFile } from 'node:child_process';
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Rng } from '../../src/stealing/rng.ts';
import { CpuGroup } from '../cpu-group.ts';
import type { Arena, Fighter } from './arena.ts';

const run = promisify(execFile);

export interface Scenario {
  readonly name: string;
  readonly what: string;
  /** Runs without a failure that are asked for. */
  readonly target: number;
  readonly fighters: number;
  run(arena: Arena, rng: Rng): Promise<string | undefined>;
}

/** ms after healing in which one answer must be there, and after waking in which a peer must work. */
const HEALED_MS = 30_000;
const AWAKE_MS = 10_000;

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'kill',
    what: 'kill -9 at random, at times all at once',
    target: 200,
    fighters: 3,
    run: kill,
  },
  {
    name: 'lost-disk',
    what: "the submitter's disk is destroyed",
    target: 20,
    fighters: 3,
    run: loseDisk,
  },
  {
    name: 'partition',
    what: 'one-way, two-way, flapping',
    target: 50,
    fighters: 3,
    run: partition,
  },
  { name: 'sleep', what: 'lid closed for 5-60 s', target: 50, fighters: 3, run: sleep },
  { name: 'slow', what: '5 % CPU, or a loop blocked for 4 s', target: 30, fighters: 3, run: slow },
  { name: 'disk-full', what: 'a 4 MiB disk as home', target: 50, fighters: 2, run: fillDisk },
];

function pick<T>(rng: Rng, items: readonly T[]): T {
  const item = items[rng.nextBelow(items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}

async function kill(arena: Arena, rng: Rng): Promise<string | undefined> {
  const { fighters } = arena;
  const submitter = pick(rng, fighters);
  const job = await arena.submit(submitter, rng);
  const isEverybody = rng.nextFloat() < 0.2;
  const rounds = isEverybody ? 1 : 1 + rng.nextBelow(3);
  for (let round = 0; round < rounds; round++) {
    await delay(rng.nextFloat() * 1_500);
    const victims = isEverybody
      ? fighters
      : [round === 0 ? pick(rng, [submitter, pick(rng, fighters)]) : pick(rng, fighters)];
    await Promise.all(victims.map((victim) => victim.kill()));
    await delay(rng.nextFloat() * 1_000);
    await Promise.all(victims.map((victim) => arena.start(victim)));
  }
  return everybodysVerdict(arena, job);
}

async function loseDisk(arena: Arena, rng: Rng): Promise<string | undefined> {
  const submitter = pick(rng, arena.fighters);
  const key = join(submitter.home, 'key');
  const job = await arena.submit(submitter, rng);
  if (job.copies < 2) return `the id was printed with ${job.copies} copies`;
  const others = arena.fighters.filter((fighter) => fighter !== submitter);
  const [heir] = others;
  if (heir === undefined) return 'nobody else is there';
  await submitter.kill();
  await rm(submitter.home, { recursive: true, force: true });
  const wrong = (await Promise.all(others.map((other) => arena.verdict(other, job)))).find(
    (text) => text !== undefined,
  );
  // A new disk, and the key copied to it: the machine is a new peer.
  await mkdir(submitter.home, { recursive: true, mode: 0o700 });
  await run('cp', [join(heir.home, 'key'), key]);
  await arena.start(submitter);
  return wrong;
}

async function partition(arena: Arena, rng: Rng): Promise<string | undefined> {
  const { hosts, fighters } = arena;
  const job = await arena.submit(pick(rng, fighters), rng, 4_000);
  const { host } = pick(rng, fighters);
  const others = hosts.all.filter((other) => other !== host);
  const kind = pick(rng, ['one-way', 'two-way', 'flapping']);
  await delay(rng.nextFloat() * 1_000);
  const rounds = kind === 'flapping' ? 4 + rng.nextBelow(4) : 1;
  for (let round = 0; round < rounds; round++) {
    await (kind === 'one-way' ? hosts.deafen(host, others) : hosts.cutOff(host));
    await delay(
      kind === 'flapping' ? 200 + rng.nextFloat() * 1_500 : 1_000 + rng.nextFloat() * 14_000,
    );
    await hosts.heal(host);
    if (kind === 'flapping') await delay(200 + rng.nextFloat() * 1_000);
  }
  return everybodysVerdict(arena, job, HEALED_MS);
}

/** A closed lid: the process stands still, and nothing reaches the machine; the kernel of a frozen process alone would
 * still say yes to everybody. */
async function sleep(arena: Arena, rng: Rng): Promise<string | undefined> {
  const { hosts, fighters } = arena;
  const sleeper = pick(rng, fighters);
  const others = fighters.filter((fighter) => fighter !== sleeper);
  const first = await arena.submit(pick(rng, fighters), rng, 4_000);
  await delay(rng.nextFloat() * 2_000);
  await hosts.cutOff(sleeper.host);
  sleeper.signal('SIGSTOP');
  await delay(5_000 + rng.nextFloat() ** 2 * 55_000);
  const second = await arena.submit(pick(rng, others), rng, 14_000);
  const before = await ownDone(others);
  sleeper.signal('SIGCONT');
  await hosts.heal(sleeper.host);
  const wokeMs = performance.now();
  let doneAtWaking: number | undefined;
  let worksAfterMs: number | undefined;
  while (performance.now() - wokeMs < AWAKE_MS) {
    const view = await sleeper.peers();
    const accused = view?.peers.find(({ state }) => state === 'lost');
    if (accused !== undefined) return `${sleeper.name} accuses ${accused.name} after waking`;
    const done = view?.peers.find(({ id }) => id === view.self)?.done;
    doneAtWaking ??= done;
    // What it had in its hands when the lid closed is finished at once; new work is more than that.
    if (worksAfterMs === undefined && done !== undefined && done > (doneAtWaking ?? done) + 2 * 2)
      worksAfterMs = performance.now() - wokeMs;
    await delay(100);
  }
  if (worksAfterMs === undefined) {
    return `${sleeper.name} does not work ${AWAKE_MS} ms after waking (others ${before})`;
  }
  return (await everybodysVerdict(arena, first)) ?? everybodysVerdict(arena, second);
}

async function slow(arena: Arena, rng: Rng): Promise<string | undefined> {
  const victim = pick(rng, arena.fighters);
  const job = await arena.submit(pick(rng, arena.fighters), rng, 5_000);
  const isBlocked = rng.nextFloat() < 0.5;
  const group = isBlocked ? undefined : CpuGroup.make(`mesh-chaos-${victim.pid}`);
  if (!isBlocked && group === undefined) return 'no cgroup can be made here';
  group?.add(victim.pid);
  group?.limit(0.05);
  if (isBlocked) victim.signal('SIGSTOP');
  const untilMs = performance.now() + (isBlocked ? 3_900 : 8_000);
  let wrong: string | undefined;
  let isReleased = false;
  // A while longer, for whoever was held up himself.
  while (wrong === undefined && performance.now() < untilMs + 3_000) {
    if (!isReleased && performance.now() >= untilMs) {
      if (isBlocked) victim.signal('SIGCONT');
      group?.limit(1);
      isReleased = true;
    }
    wrong = await accusation(
      isBlocked && !isReleased ? arena.fighters.filter((f) => f !== victim) : arena.fighters,
    );
    await delay(100);
  }
  victim.signal('SIGCONT');
  group?.limit(1);
  const verdict = wrong ?? (await everybodysVerdict(arena, job));
  // The group goes when its process has left it.
  if (group !== undefined) {
    await victim.kill();
    await group.remove();
    await arena.start(victim);
  }
  return verdict;
}

/** The home of one peer is a disk of 4 MiB that is filled at a random moment and freed again; the peer is killed, too. */
async function fillDisk(arena: Arena, rng: Rng): Promise<string | undefined> {
  const victim = pick(rng, arena.fighters);
  await victim.kill();
  const isMounted =
    (await statfs(victim.home)).blocks * (await statfs(victim.home)).bsize <= 4 * 2 ** 20;
  if (!isMounted) await moveToSmallDisk(victim);
  await arena.start(victim);
  const job = await arena.submit(pick(rng, arena.fighters), rng, 4_000);
  await delay(rng.nextFloat() * 1_000);
  const ballast = join(victim.home, 'ballast');
  // Until nothing fits; what a last write leaves in part counts too.
  await writeFile(ballast, new Uint8Array(4 * 2 ** 20)).catch(() => {});
  await delay(1_000 + rng.nextFloat() * 3_000);
  if (victim.crashed !== undefined) return victim.crashed;
  const isKilled = rng.nextFloat() < 0.3;
  if (isKilled) await victim.kill();
  await rm(ballast, { force: true });
  if (isKilled) await arena.start(victim);
  return (await everybodysVerdict(arena, job)) ?? victim.crashed;
}

async function moveToSmallDisk({ home }: Fighter): Promise<void> {
  await run('cp', ['-a', home, `${home}.copy`]);
  await run('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=700', 'tmpfs', home]);
  await run('sh', ['-c', `cp -a '${home}.copy/.' '${home}/' && rm -rf '${home}.copy'`]);
}

/** Somebody is called lost though everybody lives. */
async function accusation(witnesses: readonly Fighter[]): Promise<string | undefined> {
  for (const witness of witnesses) {
    const lost = (await witness.peers())?.peers.find(({ state }) => state === 'lost');
    if (lost !== undefined) return `${witness.name} calls ${lost.name} lost`;
  }
  return undefined;
}

async function ownDone(fighters: readonly Fighter[]): Promise<string> {
  const counts = await Promise.all(
    fighters.map(async (fighter) => `${fighter.name}:${await fighter.done()}`),
  );
  return counts.join(' ');
}

async function everybodysVerdict(
  arena: Arena,
  job: Parameters<Arena['verdict']>[1],
  patienceMs?: number,
): Promise<string | undefined> {
  const texts = await Promise.all(
    arena.fighters.map((fighter) => arena.verdict(fighter, job, patienceMs)),
  );
  return texts.find((text) => text !== undefined);
}
