// What the doctor says about one thing: fine, worth a look, or broken; and the command that mends it.
export interface Finding {
  /** Stable, for scripts. */
  readonly id: string;
  readonly level: 'ok' | 'warning' | 'failure';
  readonly text: string;
  /** What to type, or to do, to mend it. */
  readonly fix?: string;
}

export function ok(id: string, text: string): Finding {
  return { id, level: 'ok', text };
}

export function warning(id: string, text: string, fix: string): Finding {
  return { id, level: 'warning', text, fix };
}

export function failure(id: string, text: string, fix: string): Finding {
  return { id, level: 'failure', text, fix };
}
