// Where a command writes to. stdout carries data, stderr everything else; each decides by itself whether it is a
// terminal, how wide it is and whether it takes colour.
import { styleText } from 'node:util';
import type { WriteStream } from 'node:tty';

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
export type Paint = (style: Style, text: string) => string;
export type ColorChoice = 'auto' | 'always' | 'never';

export interface Terminal {
  readonly isTty: boolean;
  readonly columns: number;
  readonly paint: Paint;
  /** As it is, without a line end of its own. */
  write(text: string): void;
  line(text: string): void;
}

/** Wide enough for every table of ours when nobody says how wide the screen is. */
const COLUMNS_DEFAULT = 120;
/** Narrower than this nothing is readable anyway; some terminals report 0 before they are shown. */
const COLUMNS_MIN = 20;

export const noPaint: Paint = (_style, text) => text;

export function openTerminal(
  stream: NodeJS.WriteStream | WriteStream,
  color: ColorChoice,
): Terminal {
  return {
    isTty: stream.isTTY,
    get columns() {
      // A terminal without a size (a CI's, a serial line's) says 0.
      const columns = stream.columns || Number(process.env['COLUMNS']) || COLUMNS_DEFAULT;
      return Math.max(COLUMNS_MIN, columns);
    },
    paint: choosePaint(stream, color),
    write: (text) => void stream.write(text),
    line: (text) => void stream.write(`${text}\n`),
  };
}

function choosePaint(stream: NodeJS.WriteStream, color: ColorChoice): Paint {
  switch (color) {
    case 'never':
      return noPaint;
    case 'always':
      return (style, text) => styleText(style, text, { validateStream: false });
    case 'auto':
      // styleText itself looks at the stream, NO_COLOR, FORCE_COLOR and TERM=dumb.
      return (style, text) => styleText(style, text, { stream });
  }
}
