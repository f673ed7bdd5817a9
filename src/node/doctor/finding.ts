// What the doctor says about one thing: fine, worth a look, or broken; and the command that mends it.
export interface Finding {
  /** Stable, for scripts. */
  readonly id: string;
  readonly level: 'ok' | 'warning' | 'failure';
  readonly text: string;
  /** What to type, or to do, to mend it. */
  readonly fix?: string;
  /** The same as programs and their words, where a machine can do it; run one after the other, until one fails. */
  readonly commands?: readonly Command[];
}

export type Command = readonly [program: string, ...words: string[]];

export function ok(id: string, text: string): Finding {
  return { id, level: 'ok', text };
}

export function warning(
  id: string,
  text: string,
  fix: string,
  ...commands: readonly Command[]
): Finding {
  return { id, level: 'warning', text, fix, ...(commands.length === 0 ? {} : { commands }) };
}

export function failure(
  id: string,
  text: string,
  fix: string,
  ...commands: readonly Command[]
): Finding {
  return { id, level: 'failure', text, fix, ...(commands.length === 0 ? {} : { commands }) };
}
