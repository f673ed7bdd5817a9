// The memory that all slots share: what one thread computes another finds, what is in use stays, and what a dead
// thread left behind is room again.
import { array, assert, constantFrom, integer, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arena, PAGE_BYTES } from '../../../src/kernel/fast/arena.ts';
import { type Column, Columns, releaseSlot } from '../../../src/kernel/fast/columns.ts';

const BUDGET = 64 * PAGE_BYTES;

/** Two threads on one memory. */
function twoThreads(budgetBytes = BUDGET): { one: Columns; two: Columns; arena: Arena } {
  const arena = Arena.create(budgetBytes);
  const one = new Columns(arena);
  const two = new Columns(Arena.attach(arena.memory, 1));
  one.beginTask();
  two.beginTask();
  return { one, two, arena };
}

/** Computes a column whose values say its name. */
function fill(columns: Columns, key: string, values: number): Column | undefined {
  const column = columns.reserve(key, values * 8);
  if (column === undefined) return undefined;
  columns.float64(column).fill(markOf(key));
  return columns.publish(key, column, key.length);
}

function markOf(key: string): number {
  return Array.from(key).reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7);
}

/** Ends the epoch: nothing that was used before is in use. */
function moveOn(columns: Columns): void {
  columns.rest();
  columns.beginTask();
}

describe('columns that threads share', () => {
  it('are found by another thread, with their bytes and their start', () => {
    const { one, two, arena } = twoThreads();
    expect(two.find('ema(20)')).toBeUndefined();
    fill(one, 'ema(20)', 1000);
    const found = two.find('ema(20)');
    expect(found?.start).toBe('ema(20)'.length);
    expect(two.float64(found!)).toEqual(new Float64Array(1000).fill(markOf('ema(20)')));
    expect(arena.counts()).toEqual({ hits: 1, fills: 1, evictions: 0 });
  });

  it('are seen by nobody before they are finished, nor when they are given up', () => {
    const { one, two } = twoThreads();
    const column = one.reserve('sma(5)', 80)!;
    one.abandon(column);
    expect(two.find('sma(5)')).toBeUndefined();
    expect(fill(two, 'sma(5)', 10)).toBeDefined();
  });

  it('make room for others in the order of their last use', () => {
    const { one, two } = twoThreads();
    two.rest();
    const pages = 8;
    const values = (pages * PAGE_BYTES) / 8 - 64;
    const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    let count = 0;
    for (const key of keys) {
      moveOn(one);
      if (count > 0) expect(one.find('a')).toBeDefined();
      expect(fill(one, key, values)).toBeDefined();
      count++;
    }
    moveOn(one);
    // "a" was asked for again and again; "b" was not.
    expect(one.find('a')).toBeDefined();
    expect(one.find('b')).toBeUndefined();
  });

  it('that are nice to have go before all that is used since, and after what was used before', () => {
    const { one, two, arena } = twoThreads();
    two.rest();
    const put = (key: string, pages: number): void => {
      expect(fill(one, key, (pages * PAGE_BYTES) / 8 - 64)).toBeDefined();
      moveOn(one);
    };
    put('old', 8);
    const since = one.epoch;
    put('new', 8);
    one.publishSpare('spare', one.reserve('spare', 8 * PAGE_BYTES - 512)!, since);
    moveOn(one);
    const names = ['old', 'new', 'spare'];
    for (let more = 0; arena.counts().evictions < 2; more++) put(`more ${more}`, 2);
    expect(names.filter((key) => one.find(key) !== undefined)).toEqual(['new']);
  });

  it('make no room for what is nice to have when they are used since', () => {
    const { one, two } = twoThreads();
    two.rest();
    const bytes = 8 * PAGE_BYTES - 512;
    expect(fill(one, 'old', bytes / 8)).toBeDefined();
    moveOn(one);
    const since = one.epoch;
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) {
      expect(fill(one, key, bytes / 8)).toBeDefined();
      moveOn(one);
    }
    const [first, second] = ['first', 'second'].map((key) => {
      const column = one.reserve(key, bytes, since);
      return column && one.publishSpare(key, column, since);
    });
    expect([first === undefined, second === undefined]).toEqual([false, true]);
    expect(['a', 'b', 'c', 'd', 'e', 'f'].filter((key) => one.find(key) === undefined)).toEqual([]);
  });

  it('stay where what is nice to have makes room enough', () => {
    const { one, two, arena } = twoThreads();
    two.rest();
    one.publishSpare('spare', one.reserve('spare', 12 * PAGE_BYTES - 512)!, one.epoch);
    const keys: string[] = [];
    while (arena.counts().evictions === 0) {
      moveOn(one);
      keys.push(`column ${keys.length}`);
      expect(fill(one, keys.at(-1)!, (2 * PAGE_BYTES) / 8 - 64)).toBeDefined();
    }
    expect(one.find('spare')).toBeUndefined();
    expect(keys.filter((key) => one.find(key) === undefined)).toEqual([]);
  });

  it('lie at the beginning of a cache line, whatever their names', () => {
    const { one } = twoThreads();
    const names = ['a', 'long '.repeat(30), 'longer '.repeat(60)];
    const offsets = names.map((name) => fill(one, name, 100)!.byteOffset % 128);
    expect(offsets).toEqual([0, 0, 0]);
  });

  it('stay as long as another thread uses them', () => {
    const { one, two } = twoThreads();
    const values = (12 * PAGE_BYTES) / 8 - 64;
    fill(one, 'kept', values);
    expect(two.find('kept')).toBeDefined();
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) {
      moveOn(one);
      fill(one, key, values);
    }
    expect(two.find('kept')).toBeDefined();
    const kept = two.find('kept')!;
    expect(two.float64(kept)[values - 1]).toBe(markOf('kept'));
    moveOn(two);
    moveOn(one);
    for (const key of ['g', 'h', 'i', 'j', 'k', 'l']) {
      moveOn(one);
      fill(one, key, values);
    }
    expect(two.isAlive(kept)).toBe(false);
  });

  it('stay in use for one thread when another, whose epoch began earlier, uses them too', () => {
    const { one, two } = twoThreads();
    moveOn(one);
    const kept = fill(one, 'kept', 100)!;
    expect(two.find('kept')).toBeDefined();
    moveOn(two);
    expect(two.reserve('all the rest', 62 * PAGE_BYTES)).toBeUndefined();
    expect(one.float64(kept)[0]).toBe(markOf('kept'));
    expect(one.find('kept')).toBeDefined();
    expect(two.find('kept')).toBeDefined();
  });

  it('find no room when all of it is in use', () => {
    const { one } = twoThreads();
    const values = (40 * PAGE_BYTES) / 8;
    expect(fill(one, 'a', values)).toBeDefined();
    expect(fill(one, 'b', values)).toBeUndefined();
    expect(one.find('a')).toBeDefined();
  });

  it('that a dead thread was computing are room again', () => {
    const { one, two, arena } = twoThreads();
    const bytes = 40 * PAGE_BYTES;
    expect(two.reserve('half done', bytes)).toBeDefined();
    expect(one.reserve('other', bytes)).toBeUndefined();
    releaseSlot(arena, 1);
    expect(one.find('half done')).toBeUndefined();
    expect(fill(one, 'other', bytes / 8)).toBeDefined();
  });

  it('that a dead thread used may go', () => {
    const { one, two, arena } = twoThreads();
    fill(one, 'a', 100);
    two.find('a');
    releaseSlot(arena, 1);
    moveOn(one);
    const bytes = 40 * PAGE_BYTES;
    expect(one.reserve('b', bytes)).toBeDefined();
  });

  it('never hold another’s bytes, whatever two threads ask for in whatever order', () => {
    const step = record({
      thread: integer({ min: 0, max: 1 }),
      key: integer({ min: 0, max: 300 }),
      pages: integer({ min: 1, max: 6 }),
      ending: constantFrom('publish', 'publish', 'publish', 'abandon', 'move on', 'die'),
    });
    assert(
      property(array(step, { minLength: 50, maxLength: 300 }), (steps) => {
        const { one, two, arena } = twoThreads();
        const held: [Column | undefined, string][] = [];
        for (const { thread, key: number, pages, ending } of steps) {
          const columns = thread === 0 ? one : two;
          const key = `series ${number}`;
          const values = (pages * PAGE_BYTES) / 8 - 100;
          const found = columns.find(key);
          if (found !== undefined) {
            const seen = columns.float64(found);
            expect([seen[0], seen.at(-1)]).toEqual([markOf(key), markOf(key)]);
            if (thread === 0) held.push([found, key]);
          } else if (ending === 'abandon') {
            const column = columns.reserve(key, values * 8);
            if (column !== undefined) columns.abandon(column);
          } else if (ending === 'die' && thread === 1) {
            columns.reserve(key, values * 8);
            releaseSlot(arena, 1);
            moveOn(two);
          } else fill(columns, key, values);
          if (ending === 'move on') {
            moveOn(columns);
            if (thread === 0) held.length = 0;
          }
          // What a thread has found in this epoch is whole until the next one.
          for (const [column, name] of held) {
            if (column !== undefined && column.epoch === one.epoch) {
              expect(one.float64(column)[0]).toBe(markOf(name));
            }
          }
        }
      }),
      { numRuns: 150 },
    );
  });
});
