// What the control socket says of where work is: explanations, the steal log, draining. Fields are only added.

/** Where a task is, as the peer that answers knows it. */
export interface ExplainView {
  readonly v: 1;
  readonly job: string;
  readonly jobId: string;
  readonly task: number;
  readonly place:
    | 'counted'
    | 'recorded'
    | 'running'
    | 'next'
    | 'queued'
    | 'apart'
    | 'granted'
    | 'elsewhere'
    | 'missing'
    | 'dropped';
  /** Who has it: makers and disks of its row, or its holders. */
  readonly peers: readonly { readonly id: string; readonly name: string }[];
  /** Sentences, the most important first. */
  readonly why: readonly string[];
  readonly attempts: number;
  /** Tasks of its job before it; null when it is not queued at that peer. */
  readonly ahead: number | null;
  readonly startsInMs: number | null;
  /** Name of the peer that answers. */
  readonly self: string;
}

interface StealLogEntry {
  readonly at: string;
  readonly thief: string;
  readonly victim: string;
  readonly outcome: 'granted' | 'refused' | 'noAnswer';
  /** asked, seed, lifeline, handBack, retry, given; or why it was refused. */
  readonly why: string;
  /** null when nothing changed hands. */
  readonly job: string | null;
  readonly tasks: number;
  /** Units. */
  readonly work: number;
}

/** The last steals that the peer saw as thief or victim, newest last. */
export interface StealLogView {
  readonly v: 1;
  readonly steals: readonly StealLogEntry[];
}

export interface DrainView {
  readonly v: 1;
  readonly state: 'ok' | 'draining';
}
