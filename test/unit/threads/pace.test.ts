// Waits inside a slot keep a schedule.
import { expect, it } from 'vitest';
import { NO_THROTTLE, Pace, type SlotClock } from '../../../src/node/threads/pace.ts';

it('lets consecutive waits end at start + sum, whatever is done in between', () => {
  const clock = new LateClock(0.4);
  const pace = new Pace(NO_THROTTLE, clock);
  for (let wait = 1; wait <= 10; wait++) {
    pace.letPass(10);
    expect(clock.nowMs()).toBeGreaterThanOrEqual(10 * wait);
    expect(clock.nowMs()).toBeLessThan(10 * wait + 1);
    clock.pass(6);
  }
});

it('goes back to sleep when it was woken too early', () => {
  const clock = new LateClock(-3);
  new Pace(NO_THROTTLE, clock).letPass(10);
  expect(clock.nowMs()).toBeGreaterThanOrEqual(10);
});

it('begins anew after a pause, and after a task that computed', () => {
  const clock = new LateClock(0);
  const pace = new Pace(NO_THROTTLE, clock);
  pace.letPass(1);
  clock.pass(20);
  pace.pause();
  pace.letPass(10);
  expect(clock.nowMs()).toBe(31);
  clock.pass(20);
  pace.letPass(0);
  pace.letPass(10);
  expect(clock.nowMs()).toBe(61);
});

it('does not catch up what a stopped thread missed', () => {
  const clock = new LateClock(0);
  const pace = new Pace(NO_THROTTLE, clock);
  pace.letPass(1);
  clock.pass(10_000);
  pace.letPass(10);
  expect(clock.nowMs()).toBe(10_011);
});

it('stretches work to what a slower slot would take', () => {
  const clock = new LateClock(0);
  new Pace({ share: 0.25, afterMs: 0 }, clock).throttle(10);
  expect(clock.nowMs()).toBe(30);
});

it('leaves the first work its full speed where the throttle says so', () => {
  const clock = new LateClock(0);
  const pace = new Pace({ share: 0.25, afterMs: 800 }, clock);
  pace.throttle(790);
  expect(clock.nowMs()).toBe(0);
  pace.throttle(20);
  expect(clock.nowMs()).toBe(30);
  pace.throttle(10);
  expect(clock.nowMs()).toBe(60);
});

it('really lets the time of a thread pass', () => {
  const startMs = performance.now();
  new Pace(NO_THROTTLE).letPass(20);
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(20);
});

/** Every sleep takes `lateMs` longer than asked for, but never stands still. */
class LateClock implements SlotClock {
  readonly #lateMs: number;
  #nowMs = 0;

  constructor(lateMs: number) {
    this.#lateMs = lateMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number): void {
    this.#nowMs += Math.max(0.5, ms + this.#lateMs);
  }

  pass(ms: number): void {
    this.#nowMs += ms;
  }
}
