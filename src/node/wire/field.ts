// The pieces from which a wire schema is made: each Field writes a value into what CBOR can carry and reads it
// back from something that nobody vouches for. A record is a positional array, half the bytes of a map and free
// of names an attacker could choose; new fields are only ever appended, and a reader ignores what it does not know.
import type { Interval } from '../../deque/interval-set.ts';

/** What is wrong with bytes from outside. Thrown while reading, caught by the decoder, never seen beyond it. */
export class Fault extends Error {}

export interface Field<T> {
  write(value: T): unknown;
  /** Throws a Fault and nothing else. */
  read(raw: unknown): T;
}

/** More tasks than any job may have; keeps sums of tasks exact. */
const TASK_COUNT_MAX = 2 ** 32;

export function text<T extends string = string>(maxLength: number): Field<T> {
  return {
    write: (value) => value,
    read(raw) {
      if (typeof raw !== 'string' || raw.length > maxLength) throw new Fault('not a short text');
      return raw as T;
    },
  };
}

export function matching(pattern: RegExp, what: string): Field<string> {
  return {
    write: (value) => value,
    read(raw) {
      if (typeof raw !== 'string' || !pattern.test(raw)) throw new Fault(`not ${what}`);
      return raw;
    },
  };
}

export function word<T extends string>(words: readonly T[]): Field<T> {
  return {
    write: (value) => value,
    read(raw) {
      if (!words.includes(raw as T)) throw new Fault(`not one of ${words.join(', ')}`);
      return raw as T;
    },
  };
}

export const flag: Field<boolean> = {
  write: (value) => value,
  read(raw) {
    if (typeof raw !== 'boolean') throw new Fault('not true or false');
    return raw;
  },
};

/** Whole number in [least, most]. */
export function integer(least: number, most: number): Field<number> {
  return {
    write: (value) => value,
    read(raw) {
      if (!Number.isSafeInteger(raw) || (raw as number) < least || (raw as number) > most) {
        throw new Fault(`not a whole number from ${least} to ${most}`);
      }
      return raw as number;
    },
  };
}

export const count: Field<number> = integer(0, Number.MAX_SAFE_INTEGER);

/** Any finite number; clocks of other machines may well be negative. */
export const finite: Field<number> = {
  write: (value) => value,
  read(raw) {
    if (!Number.isFinite(raw)) throw new Fault('not a finite number');
    return raw as number;
  },
};

export const amount: Field<number> = {
  write: (value) => value,
  read(raw) {
    if (!Number.isFinite(raw) || (raw as number) < 0) throw new Fault('not a finite amount');
    return raw as number;
  },
};

export function bytes(most: number, least = 0): Field<Uint8Array> {
  return {
    write: (value) => value,
    read(raw) {
      if (!(raw instanceof Uint8Array) || raw.byteLength < least || raw.byteLength > most) {
        throw new Fault(`not ${least} to ${most} bytes`);
      }
      return raw;
    },
  };
}

export function list<T>(item: Field<T>, lengthMax: number): Field<readonly T[]> {
  return {
    write: (values) => values.map((value) => item.write(value)),
    read(raw) {
      if (!Array.isArray(raw) || raw.length > lengthMax)
        throw new Fault(`not a list of ${lengthMax}`);
      return raw.map((value) => item.read(value));
    },
  };
}

/** Absent is null on the wire and undefined here. */
export function optional<T>(item: Field<T>): Field<T | undefined> {
  return {
    write: (value) => (value === undefined ? null : item.write(value)),
    read: (raw) => (raw === null || raw === undefined ? undefined : item.read(raw)),
  };
}

/** The order of `fields` is the wire format: append only. */
export function record<T extends object>(
  fields: { readonly [K in keyof T]-?: Field<T[K]> },
): Field<T> {
  const names = Object.keys(fields) as (keyof T & string)[];
  const byPlace = names.map((name) => fields[name] as Field<unknown>);
  return {
    write: (value) => names.map((name, place) => byPlace[place]!.write(value[name])),
    read(raw) {
      if (!Array.isArray(raw)) throw new Fault('not a record');
      const value: Partial<Record<keyof T, unknown>> = {};
      for (const [place, name] of names.entries()) value[name] = byPlace[place]!.read(raw[place]);
      return value as T;
    },
  };
}

/**
 * Disjoint, non-empty intervals of tasks, flat: the gap from the end of the one before, then the length. Both
 * are small numbers in any real message, so an interval takes two to four bytes. `rising` also asks for
 * ascending order; without it the order is the sender's (a batch travels in the order in which it shall run).
 */
export function intervals(order: 'rising' | 'any'): Field<readonly Interval[]> {
  return {
    write(values) {
      const flat: number[] = [];
      let last = 0;
      for (const [start, end] of values) {
        flat.push(start - last, end - start);
        last = end;
      }
      return flat;
    },
    read(raw) {
      if (!Array.isArray(raw) || raw.length % 2 !== 0) throw new Fault('not a list of intervals');
      const values: Interval[] = [];
      let last = 0;
      let isRising = true;
      for (let i = 0; i < raw.length; i += 2) {
        const start = last + (raw[i] as number);
        const end = start + (raw[i + 1] as number);
        if (!isTaskRange(start, end)) throw new Fault('not an interval of tasks');
        if (start < last) isRising = false;
        values.push([start, end]);
        last = end;
      }
      if (!isRising && (order === 'rising' || overlaps(values))) {
        throw new Fault(order === 'rising' ? 'intervals do not rise' : 'intervals overlap');
      }
      return values;
    },
  };
}

/**
 * Float64 as little-endian bytes: every bit of a row survives, NaN included. The reader gets memory of its own,
 * aligned, so that the frame can be let go.
 */
export const float64s: Field<Float64Array> = {
  write: (values) =>
    littleEndian(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
  read(raw) {
    if (!(raw instanceof Uint8Array) || raw.byteLength % 8 !== 0)
      throw new Fault('not Float64 bytes');
    const own = littleEndian(raw.slice());
    return new Float64Array(own.buffer, own.byteOffset, own.byteLength / 8);
  },
};

function isTaskRange(start: unknown, end: unknown): boolean {
  return (
    Number.isSafeInteger(start) &&
    Number.isSafeInteger(end) &&
    (start as number) >= 0 &&
    (start as number) < (end as number) &&
    (end as number) <= TASK_COUNT_MAX
  );
}

function overlaps(values: readonly Interval[]): boolean {
  const sorted = values.toSorted((a, b) => a[0] - b[0]);
  return sorted.some((interval, i) => i > 0 && interval[0] < sorted[i - 1]![1]);
}

const HOST_IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

function littleEndian(native: Uint8Array): Uint8Array {
  return HOST_IS_LITTLE_ENDIAN ? native : Uint8Array.from(Buffer.from(native).swap64());
}
