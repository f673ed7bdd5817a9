// Where the records of each key (a job) lie in the segments, so that the rows of an ended job are read from disk
// when somebody asks, and dead ones can be cleaned away. Only spans are kept: neighbouring records of one key are
// one span, and a short stretch of others' between them is read over.

/** Bytes of other keys' records that a span may hold. More: more read in vain; less: more spans in memory. */
const GAP_BYTES_MAX = 64 * 1024;

export interface Span {
  readonly segment: number;
  readonly from: number;
  readonly to: number;
}

interface Share {
  bytes: number;
  records: number;
  /** from, to, from, to, … ascending. */
  readonly bounds: number[];
}

export class RecordIndex {
  readonly #keys = new Map<string, Map<number, Share>>();
  /** When the newest record of a key was written, epoch ms. */
  readonly #newestMs = new Map<string, number>();

  note(key: string, { segment, from, to }: Span, atMs: number): void {
    this.#newestMs.set(key, Math.max(atMs, this.#newestMs.get(key) ?? atMs));
    const segments = this.#keys.get(key) ?? new Map<number, Share>();
    if (segments.size === 0) this.#keys.set(key, segments);
    let share = segments.get(segment);
    if (share === undefined) {
      share = { bytes: 0, records: 0, bounds: [] };
      segments.set(segment, share);
    }
    share.bytes += to - from;
    share.records++;
    const last = share.bounds.length - 1;
    if (last > 0 && from - share.bounds[last]! <= GAP_BYTES_MAX) share.bounds[last] = to;
    else share.bounds.push(from, to);
  }

  newestMs(key: string): number | undefined {
    return this.#newestMs.get(key);
  }

  spans(key: string): Span[] {
    const spans: Span[] = [];
    for (const [segment, { bounds }] of this.#keys.get(key) ?? []) {
      for (let i = 0; i < bounds.length; i += 2) {
        spans.push({ segment, from: bounds[i]!, to: bounds[i + 1]! });
      }
    }
    return spans.toSorted((a, b) => a.segment - b.segment || a.from - b.from);
  }

  /** Bytes of the records of one key, or of all. */
  bytes(key?: string): number {
    const shares = key === undefined ? [...this.#keys.values()] : [this.#keys.get(key)];
    return shares.reduce((sum, share) => sum + bytesOf(share), 0);
  }

  /** Live records of one segment: of keys that are known. */
  inSegment(segment: number): { bytes: number; records: number } {
    let bytes = 0;
    let records = 0;
    for (const segments of this.#keys.values()) {
      const share = segments.get(segment);
      bytes += share?.bytes ?? 0;
      records += share?.records ?? 0;
    }
    return { bytes, records };
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  /** Its records are dead from here on. */
  forget(key: string): void {
    this.#keys.delete(key);
    this.#newestMs.delete(key);
  }

  /** The segment is gone, or about to be noted anew. */
  forgetSegment(segment: number): void {
    for (const segments of this.#keys.values()) segments.delete(segment);
  }
}

function bytesOf(segments: ReadonlyMap<number, Share> | undefined): number {
  return [...(segments?.values() ?? [])].reduce((sum, { bytes }) => sum + bytes, 0);
}
