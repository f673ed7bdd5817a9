// A whole screen that is redrawn many times a second and does not flicker: the terminal gets the lines that changed
// and nothing else, in one write, between the two marks of synchronised output (DEC private mode 2026). The
// alternate screen leaves what was there before as it was.
const OPEN = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J';
const CLOSE = '\x1b[?7h\x1b[?25h\x1b[?1049l';
const SYNC_BEGIN = '\x1b[?2026h';
const SYNC_END = '\x1b[?2026l';

export class Screen {
  readonly #write: (text: string) => void;
  #shown: readonly string[] | undefined;
  #isOpen = false;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  open(): void {
    this.#isOpen = true;
    this.#write(OPEN);
  }

  /** `lines` are as wide as the screen at most; what is below the last of them is cleared. */
  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return;
    const text = changes(this.#shown, lines);
    this.#shown = [...lines];
    if (text !== '') this.#write(`${SYNC_BEGIN}${text}${SYNC_END}`);
  }

  /** The terminal has another size now: everything is drawn anew. */
  forget(): void {
    this.#shown = undefined;
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#write(CLOSE);
  }
}

/** What turns a screen of `before` into one of `after`; undefined: nobody knows what is there. */
export function changes(before: readonly string[] | undefined, after: readonly string[]): string {
  const parts: string[] = before === undefined ? ['\x1b[2J'] : [];
  for (const [row, line] of after.entries()) {
    if (before?.[row] !== line) parts.push(`\x1b[${row + 1};1H${line}\x1b[0m\x1b[K`);
  }
  if (before !== undefined && before.length > after.length) {
    parts.push(`\x1b[${after.length + 1};1H\x1b[J`);
  }
  return parts.join('');
}
