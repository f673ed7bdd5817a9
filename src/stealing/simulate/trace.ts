// The fingerprint of a run: every event is folded into one 64-bit hash, so that "same seed, same run" is one
// comparison. A reader of a failing seed gets the same events as lines of text.

export type TraceSink = (line: string) => void;

export class Trace {
  #high = 0x811c9dc5;
  #low = 0x1b873593;
  readonly #sink: TraceSink | undefined;

  constructor(sink?: TraceSink) {
    this.#sink = sink;
  }

  /** Whether somebody reads along: text is worth building only then. */
  get isRead(): boolean {
    return this.#sink !== undefined;
  }

  event(atMs: number, who: string, what: string): void {
    this.#foldNumber(atMs);
    this.#foldText(who);
    this.#foldText(what);
    if (this.#sink === undefined) return;
    this.#sink(`${atMs.toFixed(3).padStart(12)}  ${who.padEnd(8)} ${what}`);
  }

  /** Folded in locals, as texts are: every byte of a run comes by, and private fields cost more than the folding. */
  bytes(bytes: Uint8Array): void {
    let high = this.#high;
    let low = this.#low;
    for (let i = 0; i < bytes.length; i++) {
      high = Math.imul(high ^ bytes[i]!, 0x01000193);
      low = Math.imul((low ^ bytes[i]!) + (high >>> 15), 0x85ebca6b);
    }
    this.#high = high;
    this.#low = low;
  }

  /** For readers only: no part of the fingerprint. */
  remark(line: () => string): void {
    if (this.#sink !== undefined) this.#sink(`${' '.repeat(23)}${line()}`);
  }

  get hash(): string {
    return hex(this.#high) + hex(this.#low);
  }

  #foldText(text: string): void {
    let high = this.#high;
    let low = this.#low;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      high = Math.imul(high ^ code, 0x01000193);
      low = Math.imul((low ^ code) + (high >>> 15), 0x85ebca6b);
    }
    this.#high = high;
    this.#low = low;
  }

  #foldNumber(value: number): void {
    // Virtual time to the nanosecond, in two words.
    const scaled = Math.round(value * 1e6);
    this.#fold(scaled >>> 0);
    this.#fold(Math.floor(scaled / 4294967296));
  }

  #fold(word: number): void {
    this.#high = Math.imul(this.#high ^ word, 0x01000193);
    this.#low = Math.imul((this.#low ^ word) + (this.#high >>> 15), 0x85ebca6b);
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
