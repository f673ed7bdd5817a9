// What a set of runs has reached: faults that struck, messages, and the branches of the core that only trouble
// takes. A suite whose runs never get there proves nothing about them.
import { DEFAULT_LIMITS } from '../limits.ts';
import { EVERY_KIND } from './brief.ts';
import type { Scenario } from './scenario.ts';
import type { SimulatedCore } from './shell.ts';
import type { Check } from './watch.ts';

/** Each must be reached by every suite of a few hundred schedules. */
const SOMETIMES: readonly string[] = [
  ...EVERY_KIND.map((kind) => `fault ${kind}`),
  'work is wrong',
  'a rate lies',
  'a grant is sent again',
  'a grant is doubled',
  'a census is taken',
  'a census is asked again',
  'a census finds rows elsewhere',
  'lost work runs again',
  'another peer becomes owner',
  'a message of an older life comes',
  'a suspect is believed',
  'a peer is lost',
  'a peer accuses nobody after its own pause',
  'rows are sent that the own disk refused',
  'a disk refuses a record',
  'a job is recovered',
  'an ended job is recovered',
  'rows are read back',
  'a thief is refused',
  'a lifeline is armed',
  'a lifeline is answered by an invitation',
  'a slot dies over a claim',
  'a peer leaves',
  'a job is cancelled',
  'a task runs twice',
  'a stranger speaks',
];

export class Reached {
  readonly counts = new Map<string, number>();

  add(more: Iterable<readonly [string, number]>): void {
    for (const [what, times] of more) this.#hit(what, times);
  }

  missing(): string[] {
    return SOMETIMES.filter((what) => !this.counts.has(what));
  }

  text(): string {
    const lines = SOMETIMES.map(
      (what) => `  ${String(this.counts.get(what) ?? 0).padStart(9)}  ${what}`,
    );
    return lines.join('\n');
  }

  /** Watches one run. */
  check(scenario: Scenario): Check {
    const grants = new Set<string>();
    const granted = new Set<string>();
    const censuses = new Set<string>();
    const ran = new Set<string>();
    const lastMs = new Map<string, number>();
    for (const { fault } of scenario.faults) this.#hit(`fault ${fault.kind}`);
    if (scenario.jobs.some(({ workError }) => workError !== undefined)) this.#hit('work is wrong');
    if (scenario.peers.some(({ rateLie }) => rateLie !== undefined)) this.#hit('a rate lies');
    return {
      name: 'reached',
      sent: ({ from, to, message }) => {
        const { kind } = message;
        if (kind === 'grant') {
          this.#twice(grants, `${from}>${to} ${message.grant}`, 'a grant is sent again');
        } else if (kind === 'census') {
          this.#hit('a census is taken');
          this.#twice(censuses, `${from}>${to} ${message.census}`, 'a census is asked again');
        } else if (kind === 'rows' && message.isUnkept === true) {
          this.#hit('rows are sent that the own disk refused');
        } else if (kind === 'stealRefused') {
          const isInvitation = message.request === 0;
          this.#hit(
            isInvitation ? 'a lifeline is answered by an invitation' : 'a thief is refused',
          );
        } else if (kind === 'rowsWanted') this.#hit('a census finds rows elsewhere');
        else if (kind === 'lifelineArmed') this.#hit('a lifeline is armed');
        else if (kind === 'leaving') this.#hit('a peer leaves');
        return undefined;
      },
      stepped: ({ atMs, peer, incarnation, input, outputs, core, world }) => {
        if (input.kind === 'messageReceived') {
          const alive = world.peers.find(({ id }) => id === input.from);
          if (alive === undefined) this.#hit('a stranger speaks');
          if (input.message.kind === 'grant') {
            const key = `${input.from}/${input.incarnation} ${peer}/${incarnation}`;
            this.#twice(granted, `${key} ${input.message.grant}`, 'a grant is doubled');
          }
          if ((alive?.incarnation ?? 0) > input.incarnation) {
            this.#hit('a message of an older life comes');
          }
        } else if (input.kind === 'cancelRequested') this.#hit('a job is cancelled');
        else if (input.kind === 'persistFailed') this.#hit('a disk refuses a record');
        else if (input.kind === 'rowsRecalled') this.#hit('rows are read back');
        else if (input.kind === 'slotDied') this.#hit('a slot dies over a claim');
        else if (input.kind === 'jobRecovered') {
          this.#hit(
            input.ending === undefined ? 'a job is recovered' : 'an ended job is recovered',
          );
        }
        for (const output of outputs) {
          if (output.kind !== 'log') continue;
          if (output.text.includes('run again')) this.#hit('lost work runs again');
          if (output.text.includes('answers for a job')) this.#hit('another peer becomes owner');
        }
        if (input.kind === 'wakeDue') this.#woke(core, atMs - (lastMs.get(peer) ?? atMs), scenario);
        lastMs.set(peer, atMs);
        return undefined;
      },
      ran: ({ job, intervals }) => {
        for (const [start, end] of intervals) {
          for (let task = start; task < end; task++) {
            this.#twice(ran, `${job} ${task}`, 'a task runs twice');
          }
        }
        return undefined;
      },
    };
  }

  #woke(core: SimulatedCore, silentMs: number, { limits }: Scenario): void {
    const states = core.status(0).peers.map(({ state }) => state);
    if (states.includes('suspect')) this.#hit('a suspect is believed');
    if (states.includes('lost')) this.#hit('a peer is lost');
    const isLong = silentMs > 2 * (limits ?? DEFAULT_LIMITS).suspectMs;
    if (isLong && !states.includes('suspect')) {
      this.#hit('a peer accuses nobody after its own pause');
    }
  }

  #twice(seen: Set<string>, key: string, what: string): void {
    if (seen.has(key)) this.#hit(what);
    seen.add(key);
  }

  #hit(what: string, times = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + times);
  }
}
