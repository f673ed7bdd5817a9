// The node's log on disk: one JSON object a line, in files that the node itself turns over, because nothing else on
// a Mac does. node.ndjson is the newest, node.4.ndjson the oldest. A line that a full disk refuses is lost; the
// node goes on.
import { closeSync, fstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Bytes per file, and files: 50 MB hold weeks of a calm mesh, and fit on any disk. */
const FILE_BYTES_MAX = 10 * 1000 * 1000;
const FILES = 5;

export function logFile(folder: string, age: number): string {
  return join(folder, age === 0 ? 'node.ndjson' : `node.${age}.ndjson`);
}

/** Newest last, as a reader wants them; not all of them need to exist. */
export function logFiles(folder: string): readonly string[] {
  return Array.from({ length: FILES }, (_, age) => logFile(folder, age)).toReversed();
}

/** What pino writes to. */
export class LogFile {
  readonly #folder: string;
  readonly #fileBytesMax: number;
  #fd: number | undefined;
  #bytes = 0;

  constructor(folder: string, fileBytesMax: number = FILE_BYTES_MAX) {
    this.#folder = folder;
    this.#fileBytesMax = fileBytesMax;
  }

  write(line: string): void {
    try {
      const bytes = Buffer.byteLength(line);
      this.#fd ??= this.#open();
      if (this.#bytes > 0 && this.#bytes + bytes > this.#fileBytesMax) this.#turnOver();
      writeSync(this.#fd, line);
      this.#bytes += bytes;
    } catch {
      // No room, or no folder any more: the next line tries again.
      this.close();
    }
  }

  close(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    try {
      if (fd !== undefined) closeSync(fd);
    } catch {
      // It is of no use in either case.
    }
  }

  #open(): number {
    const fd = openSync(logFile(this.#folder, 0), 'a', 0o600);
    this.#bytes = fstatSync(fd).size;
    return fd;
  }

  #turnOver(): void {
    this.close();
    rmSync(logFile(this.#folder, FILES - 1), { force: true });
    for (let age = FILES - 2; age >= 0; age--) {
      try {
        renameSync(logFile(this.#folder, age), logFile(this.#folder, age + 1));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
    this.#fd = this.#open();
  }
}
