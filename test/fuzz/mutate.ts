// Two ways to make a bad frame from a good one. The dumb one flips, cuts, repeats and splices bytes; it finds what
// a decoder believes of lengths. The other one knows the structure: it puts boundary values at places of the tree
// and encodes it again, so that the bytes are well formed and only the meaning is wrong.
import type { Rng } from '../../src/stealing/rng.ts';

/** Where numbers, texts and lists change their behaviour. */
const BOUNDARIES: readonly unknown[] = [
  0,
  -1,
  1,
  255,
  256,
  65_535,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  Number.MAX_SAFE_INTEGER,
  -Number.MAX_SAFE_INTEGER,
  0.5,
  1e308,
  -1e308,
  Number.NaN,
  Infinity,
  -Infinity,
  '',
  '\0',
  '../../etc/passwd',
  '__proto__',
  'x'.repeat(300),
  '𝕏'.repeat(70),
  true,
  false,
  null,
  [],
  [[]],
  [[[[[[[[[[[[]]]]]]]]]]]],
  {},
];

export function flipBytes(good: Uint8Array, rng: Rng): Uint8Array {
  // A Buffer's own slice is no copy.
  let bytes = Uint8Array.from(good);
  const rounds = 1 + rng.nextBelow(4);
  for (let round = 0; round < rounds; round++) {
    const at = rng.nextBelow(bytes.byteLength + 1);
    switch (rng.nextBelow(6)) {
      case 0:
        if (at < bytes.byteLength) bytes[at] = bytes[at]! ^ (1 << rng.nextBelow(8));
        break;
      case 1:
        if (at < bytes.byteLength) bytes[at] = rng.nextBelow(256);
        break;
      case 2:
        bytes = bytes.slice(0, at);
        break;
      case 3:
        bytes = Uint8Array.from([...bytes.slice(0, at), ...bytes.slice(rng.nextBelow(at + 1))]);
        break;
      case 4:
        // A CBOR head that claims four or eight bytes of length.
        bytes.set([0x5b, 0xff, 0xff, 0xff, 0xff].slice(0, bytes.byteLength - at), at);
        break;
      default:
        bytes.set(bytes.slice(rng.nextBelow(at + 1)).subarray(0, bytes.byteLength - at), at);
    }
    if (bytes.byteLength > 4096) bytes = bytes.slice(0, 4096);
  }
  return bytes;
}

/** A copy of `value` in which one to three places are something else. */
export function bendTree(value: unknown, rng: Rng): unknown {
  let bent = value;
  for (let round = 1 + rng.nextBelow(3); round > 0; round--) bent = bendOnce(bent, rng);
  return bent;
}

function bendOnce(value: unknown, rng: Rng): unknown {
  const isPlace = rng.nextBelow(4) === 0;
  if (!isPlace && Array.isArray(value) && value.length > 0) {
    const copy = [...(value as unknown[])];
    const at = rng.nextBelow(copy.length);
    const what = rng.nextBelow(8);
    if (what === 0) copy.splice(at, 1);
    else if (what === 1) copy.splice(at, 0, copy[rng.nextBelow(copy.length)]);
    else copy[at] = bendOnce(copy[at], rng);
    return copy;
  }
  if (!isPlace && value !== null && typeof value === 'object' && !(value instanceof Uint8Array)) {
    const entries = Object.entries(value);
    const at = rng.nextBelow(entries.length);
    const entry = entries[at];
    if (entry === undefined) return boundary(rng);
    const what = rng.nextBelow(8);
    if (what === 0) entries.splice(at, 1);
    else if (what === 1) entries.push([`${entry[0]}x`, entry[1]]);
    else entries[at] = [entry[0], bendOnce(entry[1], rng)];
    return Object.fromEntries(entries);
  }
  if (value instanceof Uint8Array && rng.nextBelow(2) === 0) {
    return rng.nextBelow(2) === 0 ? value.slice(1) : Uint8Array.from([...value, 0]);
  }
  if (typeof value === 'number' && rng.nextBelow(2) === 0) return value + rng.nextBelow(3) - 1;
  return boundary(rng);
}

function boundary(rng: Rng): unknown {
  return BOUNDARIES[rng.nextBelow(BOUNDARIES.length)];
}
