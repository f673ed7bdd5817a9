// A line of the log as a person reads it: when, how bad, what, then the fields.
import { levelName, type LogLine } from '../../logs/log-line.ts';
import { printable } from './format.ts';
import { cutToWidth } from './table.ts';
import type { Paint } from './terminal.ts';

const STYLES = { warn: 'yellow', error: 'red', fatal: 'red' } as const;
const OWN_FIELDS: ReadonlySet<string> = new Set(['level', 'time', 'msg']);

export function renderLogLine(
  line: LogLine,
  peer: string | undefined,
  width: number,
  paint: Paint,
): string {
  const level = levelName(line.level);
  const at = new Date(line.time).toTimeString().slice(0, 8);
  const word = level.padEnd(5);
  const style = Object.entries(STYLES).find(([name]) => name === level)?.[1];
  const fields = Object.entries(line)
    .filter(([name]) => !OWN_FIELDS.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const text = [
    at,
    style === undefined ? word : paint(style, word),
    ...(peer === undefined ? [] : [printable(peer)]),
    printable(line.msg),
    paint('dim', printable(fields.join(' '))),
  ].join('  ');
  return cutToWidth(text, width);
}
