// A damaged segment never yields a wrong record: whatever is done to its bytes, what is read is what was written, up
// to the damage. JOURNAL_MUTATIONS=1000000 runs the long form.
import { describe, expect, it } from 'vitest';
import { Rng } from '../../../src/stealing/rng.ts';
import {
  frameRecord,
  HEADER_BYTES,
  readSegmentHeader,
  segmentHeader,
  stampRecord,
} from '../../../src/node/store/record.ts';
import { readSegment } from '../../../src/node/store/recovery.ts';

const MUTATIONS = Number(process.env['JOURNAL_MUTATIONS'] ?? 20_000);

const TEXTS = ['one', '', 'three '.repeat(9), 'four', 'a longer record '.repeat(4), '\0\0', 'end'];
const WHOLE = segmentOf(TEXTS);
const ENDS = endsOf(TEXTS);

describe('a small segment', () => {
  it('reads back as it was written, with room behind it', () => {
    expect(read(WHOLE)).toEqual(TEXTS);
    const roomy = new Uint8Array(WHOLE.byteLength + 500);
    roomy.set(WHOLE);
    expect(read(roomy)).toEqual(TEXTS);
    expect(readSegment(roomy, { next: undefined, isLast: true, visit: () => {} })).toMatchObject({
      isTorn: false,
      isDamaged: false,
      goodBytes: WHOLE.byteLength,
    });
  });

  it('yields a prefix at every truncation', () => {
    for (let cut = 0; cut < WHOLE.byteLength; cut++) {
      const kept = ENDS.filter((end) => end <= cut).length;
      expect(read(WHOLE.subarray(0, cut))).toEqual(TEXTS.slice(0, kept));
    }
  });

  it('yields the prefix before every flipped bit', () => {
    for (let bit = 0; bit < WHOLE.byteLength * 8; bit++) {
      const flipped = WHOLE.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const intact = bit >> 3 < HEADER_BYTES ? 0 : ENDS.filter((end) => end <= bit >> 3).length;
      expect(read(flipped)).toEqual(TEXTS.slice(0, intact));
    }
  });

  it(`yields no wrong record after any of ${MUTATIONS} mutations`, () => {
    const rng = new Rng(7);
    const below = (end: number): number => Math.floor(rng.nextFloat() * end);
    for (let i = 0; i < MUTATIONS; i++) {
      const bytes = mutated(WHOLE, below);
      const found = read(bytes);
      const isPrefix = found.every((text, at) => text === TEXTS[at]);
      if (!isPrefix) expect({ i, found }).toEqual({ i, found: TEXTS });
    }
  }, 600_000);

  it('says that acknowledged records are gone when good ones lie behind the damage', () => {
    const flipped = WHOLE.slice();
    flipped[HEADER_BYTES + 40]! ^= 1;
    const found = readSegment(flipped, { next: undefined, isLast: true, visit: () => {} });
    expect(found).toMatchObject({ isTorn: true, isDamaged: true });
    const torn = readSegment(WHOLE.subarray(0, WHOLE.byteLength - 1), {
      next: undefined,
      isLast: true,
      visit: () => {},
    });
    expect(torn).toMatchObject({ isTorn: true, isDamaged: false });
  });

  it('ends where the next segment begins to count', () => {
    const next = readSegmentHeader(
      segmentHeader({ number: 2, firstSequence: 3, compactedRecords: undefined }),
    );
    const found: string[] = [];
    const visit = ({ payload }: { payload: Uint8Array }): void => {
      found.push(Buffer.from(payload).toString());
    };
    expect(readSegment(WHOLE, { next, isLast: false, visit }).isDamaged).toBe(false);
    expect(found).toEqual(TEXTS.slice(0, 3));
  });
});

function segmentOf(texts: readonly string[]): Uint8Array {
  const header = segmentHeader({ number: 1, firstSequence: 0, compactedRecords: undefined });
  const records = texts.map((text, i) => {
    const record = frameRecord('job', new TextEncoder().encode(text), 1_700_000_000_000);
    stampRecord(record, i);
    return record;
  });
  return new Uint8Array(Buffer.concat([header, ...records]));
}

function endsOf(texts: readonly string[]): number[] {
  let end = HEADER_BYTES;
  return texts.map((text) => (end += HEADER_BYTES + 'job'.length + text.length));
}

function read(bytes: Uint8Array): string[] {
  const found: string[] = [];
  readSegment(bytes, {
    next: undefined,
    isLast: true,
    visit: ({ payload }) => {
      found.push(Buffer.from(payload).toString());
    },
  });
  return found;
}

/** One to four of: a changed byte, a cut, bytes moved, doubled, removed, or taken from elsewhere in the segment. */
function mutated(whole: Uint8Array, below: (end: number) => number): Uint8Array {
  let bytes: Uint8Array = whole.slice();
  for (let changes = 1 + below(4); changes > 0; changes--) {
    const at = below(bytes.byteLength + 1);
    const length = 1 + below(80);
    const part = bytes.subarray(at, at + length);
    const elsewhere = below(bytes.byteLength + 1);
    switch (below(5)) {
      case 0:
        if (at < bytes.byteLength) bytes[at] = below(256);
        break;
      case 1:
        bytes = bytes.slice(0, at);
        break;
      case 2:
        bytes = new Uint8Array(Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)]));
        break;
      case 3:
        bytes = new Uint8Array(Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]));
        break;
      default:
        bytes.copyWithin(elsewhere, at, at + length);
    }
  }
  return bytes;
}
