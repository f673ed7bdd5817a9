// Waits inside a slot keep a schedule; bounds are wide, because the clock is real.
import { expect, it } from 'vitest';
import { Pace } from '../../../src/node/threads/pace.ts';

it('lets consecutive waits end at start + sum, whatever is done in between', () => {
  const pace = new Pace(1);
  const startMs = performance.now();
  for (let wait = 0; wait < 10; wait++) {
    pace.letPass(10);
    pass(6);
  }
  const elapsedMs = performance.now() - startMs;
  expect(elapsedMs).toBeGreaterThanOrEqual(100);
  // Waits that each began when they were asked for would have taken 160.
  expect(elapsedMs).toBeLessThan(150);
});

it('begins anew after a pause', () => {
  const pace = new Pace(1);
  pace.letPass(1);
  pass(20);
  pace.pause();
  const startMs = performance.now();
  pace.letPass(10);
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(10);
});

it('does not catch up what a stopped thread missed', () => {
  const pace = new Pace(1);
  pace.letPass(1);
  pass(300);
  const startMs = performance.now();
  pace.letPass(10);
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(10);
});

it('stretches work to what a slower slot would take', () => {
  const pace = new Pace(0.25);
  const startMs = performance.now();
  pace.throttle(10);
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(30);
});

function pass(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
