// Reading the log of a home, whether its node runs or not: the files from old to new, then, on request, what is
// added while somebody looks. A file that is turned over meanwhile is read to its end first.
import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { logFile, logFiles } from './log-file.ts';
import { isWanted, type LogLine, type LogQuery, parseLogLine } from './log-line.ts';

/** ms between two looks at a file that is followed: quicker than a person reads. */
const LOOK_MS = 200;
const CHUNK_BYTES = 256 * 1024;
/** Characters of one line; longer ones are none of ours. */
const LINE_CHARS_MAX = 1 << 20;

/** Ends when all is told, or, when following, when `signal` aborts. */
export async function* readLog(
  folder: string,
  query: LogQuery,
  signal?: AbortSignal,
): AsyncGenerator<LogLine> {
  const newest = new Tail(logFile(folder, 0));
  const past: LogLine[] = [];
  for (const file of logFiles(folder).slice(0, -1)) {
    for await (const line of new Tail(file).more(query)) keep(past, line, query.last);
  }
  for await (const line of newest.more(query)) keep(past, line, query.last);
  yield* past;
  while (query.follow === true && (await pause(signal))) yield* newest.more(query);
}

/** False when nobody listens any more. */
async function pause(signal: AbortSignal | undefined): Promise<boolean> {
  await delay(LOOK_MS, undefined, { signal }).catch(() => {});
  return signal?.aborted !== true;
}

function keep(lines: LogLine[], line: LogLine, last: number | undefined): void {
  lines.push(line);
  if (last !== undefined && lines.length > last) lines.shift();
}

/** A file that grows, and may be replaced by a new one of its name. */
class Tail {
  readonly #path: string;
  #inode: number | undefined;
  #offset = 0;
  #rest = '';

  constructor(path: string) {
    this.#path = path;
  }

  async *more(query: LogQuery): AsyncGenerator<LogLine> {
    const file = await open(this.#path, 'r').catch(() => undefined);
    if (file === undefined) return;
    try {
      const { ino, size } = await file.stat();
      if (this.#inode !== ino || size < this.#offset) {
        this.#inode = ino;
        this.#offset = 0;
        this.#rest = '';
      }
      const buffer = Buffer.alloc(CHUNK_BYTES);
      for (;;) {
        const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, this.#offset);
        if (bytesRead === 0) return;
        this.#offset += bytesRead;
        yield* this.#lines(buffer.toString('latin1', 0, bytesRead), query);
      }
    } finally {
      await file.close();
    }
  }

  /** Cut at line ends before it is decoded: a chunk may end inside a character. */
  *#lines(bytes: string, query: LogQuery): Generator<LogLine> {
    const lines = (this.#rest + bytes).split('\n');
    this.#rest = (lines.pop() ?? '').slice(0, LINE_CHARS_MAX);
    for (const text of lines) {
      const line = parseLogLine(Buffer.from(text, 'latin1').toString('utf8'));
      if (line !== undefined && isWanted(line, query)) yield line;
    }
  }
}
