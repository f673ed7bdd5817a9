// What is measured and reported: rates, the last thirty seconds, and how near a job came to its bounds.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundMs, boundsOf, type Core, greedyMs } from '../../../src/stealing/efficiency.ts';
import { Rates } from '../../../src/stealing/rates.ts';
import { Recent } from '../../../src/stealing/recent.ts';
import { WorkModel } from '../../../src/stealing/work.ts';

/** 12 cores at speed 1.0 and 10 at 0.9, in units per ms. */
const TWO_MACS = coresOf([...Array<number>(12).fill(1), ...Array<number>(10).fill(0.9)]);

function coresOf(speeds: readonly number[], delayMs = 0): Core[] {
  return speeds.map((speed) => ({ speed, delayMs }));
}

describe('boundMs', () => {
  it.each([
    // tasks, ms each, bound in ms, why
    [50, 1_000, 3_000, '12 x 3 + 10 x 2 = 56 after 3 s; 12 x 2 + 10 x 2 = 44 after 2.3 s'],
    [300, 50, 750, '12 x 15 + 10 x 13 = 310 after 750 ms; 290 just before'],
    [22, 1_000, 1_000 / 0.9, 'each core one, the slow ones end last'],
    [1, 1_000, 1_000, 'one task on a fast core'],
    [0, 1_000, 0, 'nothing to do'],
  ])('of %i equal tasks of %i ms on 12 and 10 cores: %f ms, as %s', (tasks, ms, bound) => {
    const work = new WorkModel(tasks === 0 ? [] : [{ tasks, units: ms }]);
    // The bisection ends within a part in a million.
    expect(boundMs(work, TWO_MACS)).toBeGreaterThanOrEqual(bound * 0.99999);
    expect(boundMs(work, TWO_MACS)).toBeLessThan(bound * 1.00001 + 1e-9);
  });

  it('is the area when tasks are many and the longest task when one is long', () => {
    const many = new WorkModel([
      { tasks: 2_100, units: 10 },
      { tasks: 1, units: 11 },
    ]);
    expect(boundMs(many, TWO_MACS)).toBeCloseTo(21_011 / 21, 6);
    const long = new WorkModel([
      { tasks: 10, units: 10 },
      { tasks: 1, units: 5_000 },
    ]);
    expect(boundMs(long, TWO_MACS)).toBe(5_000);
  });

  it('knows that the longest tasks need the fastest cores, each its own', () => {
    const work = new WorkModel([
      { tasks: 2, units: 100 },
      { tasks: 100, units: 1 },
    ]);
    const { area, longest, prefix } = boundsOf(work, coresOf([2, 1, 1, 1]));
    expect(area).toBe(60);
    expect(longest).toBe(50);
    expect(prefix).toBeCloseTo(200 / 3, 9);
  });

  it('counts the way there and back', () => {
    const work = new WorkModel([{ tasks: 100, units: 1 }]);
    const near = coresOf([1]);
    // 100 = T + (T - 10): the far core begins ten later.
    expect(boundsOf(work, [...near, ...coresOf([1], 10)]).latency).toBeCloseTo(55, 3);
    // Too far to be of use.
    expect(boundsOf(work, [...near, ...coresOf([1], 1_000)]).latency).toBeCloseTo(100, 3);
  });

  it('of no cores is nothing', () => {
    expect(boundMs(new WorkModel([{ tasks: 1, units: 1 }]), [])).toBe(0);
    expect(boundMs(new WorkModel([{ tasks: 1, units: 1 }]), coresOf([0]))).toBe(0);
  });
});

describe('greedyMs', () => {
  it.each<[number[], number[], number, string]>([
    [[10, 10, 10], [1], 30, 'one core does it all'],
    [[10, 10, 10], [1, 1], 20, 'two cores, three tasks'],
    [[1, 1, 10], [1, 1], 11, 'the long one comes last'],
    [[10, 1, 1], [1, 1], 10, 'the long one comes first'],
    [[10], [0, 2], 5, 'a core that does nothing is not used'],
    [[10], [], 0, 'no cores'],
  ])('%j on %j: %f, %s', (costs, cores, ms) => {
    const work = new WorkModel(costs.map((units) => ({ tasks: 1, units })));
    expect(greedyMs(work, coresOf(cores))).toBe(ms);
  });

  it('shows what order could give', () => {
    const work = new WorkModel([1, 1, 10].map((units) => ({ tasks: 1, units })));
    expect(greedyMs(work, coresOf([1, 1]), 'longestFirst')).toBe(10);
  });

  it('is at 300 x 50 ms on two Macs within a task of the bound', () => {
    const work = new WorkModel([{ tasks: 300, units: 50 }]);
    expect(greedyMs(work, TWO_MACS)).toBeGreaterThanOrEqual(boundMs(work, TWO_MACS) * 0.99999);
    expect(greedyMs(work, TWO_MACS)).toBeLessThan(boundMs(work, TWO_MACS) + 50 / 0.9);
  });

  it('is never below the bound', () => {
    const costs = fc.array(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 25 });
    const cores = fc.array(fc.constantFrom(0.5, 1, 2), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(costs, cores, (units, speeds) => {
        const work = new WorkModel(units.map((one) => ({ tasks: 1, units: one })));
        const slots = coresOf(speeds);
        const bound = boundMs(work, slots) * 0.99999;
        expect(greedyMs(work, slots)).toBeGreaterThanOrEqual(bound);
        expect(greedyMs(work, slots, 'longestFirst')).toBeGreaterThanOrEqual(bound);
      }),
    );
  });
});

const MEMORY = { memoryMs: 3_000, priorMs: 100 };

describe('Rates', () => {
  it('knows nothing before the first measurement, which is then believed whole', () => {
    const rates = new Rates(MEMORY, 4);
    expect(rates.perSlotMs('k')).toBeUndefined();
    expect(rates.told()).toEqual([]);
    rates.measured('k', 500, 1);
    expect(rates.perSlotMs('k')).toBe(500);
    expect(rates.told()).toEqual([{ rateKey: 'k', unitsPerMs: 2_000 }]);
  });

  it('follows a machine that throttles within seconds of busy time, whatever its slots', () => {
    for (const slots of [1, 12]) {
      const rates = new Rates(MEMORY, slots);
      rates.measured('k', 10_000, 10);
      for (let busyMs = 0; busyMs < 9_000 * slots; busyMs += 10) rates.measured('k', 5_000, 10);
      expect(rates.perSlotMs('k')).toBeGreaterThan(500);
      expect(rates.perSlotMs('k')).toBeLessThan(530);
    }
  });

  it('outlives a cold start: until the memory is full every busy millisecond weighs the same', () => {
    const rates = new Rates(MEMORY, 1);
    rates.measured('k', 1_000, 10);
    for (let busyMs = 0; busyMs < 500; busyMs += 10) rates.measured('k', 10_000, 10);
    expect(rates.perSlotMs('k')).toBeCloseTo(501_000 / 510, 6);
  });

  it('lets a job that begins outweigh all jobs before it within tenths of a second', () => {
    const rates = new Rates(MEMORY, 4);
    for (let busyMs = 0; busyMs < 20_000; busyMs += 100) rates.measured('k', 10_000, 100);
    rates.jobBegan('k');
    expect(rates.perSlotMs('k')).toBeCloseTo(100, 6);
    for (let busyMs = 0; busyMs < 1_200; busyMs += 100) rates.measured('k', 50_000, 100);
    // 400 ms of the past and 1,200 ms of the job, of all four slots together.
    expect(rates.perSlotMs('k')).toBeCloseTo((400 * 100 + 1_200 * 500) / 1_600, 6);
    rates.jobBegan('other');
    expect(rates.perSlotMs('other')).toBeUndefined();
  });

  it('learns nothing from tasks that took no time', () => {
    const rates = new Rates(MEMORY, 1);
    rates.measured('k', 500, 0);
    expect(rates.perSlotMs('k')).toBeUndefined();
  });

  it('tells the eight that were used last', () => {
    const rates = new Rates(MEMORY, 1);
    for (let i = 0; i < 10; i++) rates.measured(`k${i}`, 1, 1);
    rates.measured('k3', 1, 1);
    const told = rates.told().map(({ rateKey }) => rateKey);
    expect(told).toEqual(['k2', 'k4', 'k5', 'k6', 'k7', 'k8', 'k9', 'k3'].slice(-8));
  });
});

describe('Recent', () => {
  it('remembers thirty seconds', () => {
    const recent = new Recent();
    recent.add(500, 10, 1_000);
    recent.add(20_500, 5, 70);
    expect(recent.units(20_500)).toBe(1_070);
    expect(recent.units(31_000)).toBe(70);
    expect(recent.units(60_000)).toBe(0);
    expect(recent.donePerSec(60_000)).toBe(0);
  });

  it('divides a young burst by its own age, by a second at least', () => {
    const recent = new Recent();
    expect(recent.donePerSec(0)).toBe(0);
    recent.add(100_000, 30, 30);
    expect(recent.donePerSec(100_100)).toBe(30);
    expect(recent.donePerSec(103_000)).toBe(10);
  });

  it('tells a steady speed after a minute of it', () => {
    const recent = new Recent();
    for (let nowMs = 0; nowMs <= 60_000; nowMs += 100) recent.add(nowMs, 2, 2);
    expect(recent.donePerSec(60_000)).toBeGreaterThan(19);
    expect(recent.donePerSec(60_000)).toBeLessThan(21.5);
  });
});
