// Ways in which a person or a pipe says "enough": Ctrl-C, a signal, the reader of stdout gone.
import { constants } from 'node:os';

export interface Interrupt {
  /** `pipe`: `| head` has what it wanted. */
  readonly by: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'pipe';
  readonly exit: number;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export class Interrupts {
  /** Settles at the first one. The second Ctrl-C ends the process where it is. */
  readonly first: Promise<Interrupt>;
  readonly #remove: () => void;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<Interrupt>();
    this.first = promise;
    let count = 0;
    const onSignal = (signal: NodeJS.Signals): void => {
      const by = SIGNALS.find((name) => name === signal) ?? 'SIGTERM';
      const exit = 128 + constants.signals[by];
      // A terminal that closes may say so twice; only a person who repeats it means now.
      if (++count > 1 && by !== 'SIGHUP') process.exit(exit);
      resolve({ by, exit });
    };
    const onPipe = (error: NodeJS.ErrnoException): void => {
      if (error.code === 'EPIPE') resolve({ by: 'pipe', exit: 0 });
    };
    for (const signal of SIGNALS) process.on(signal, onSignal);
    process.stdout.on('error', onPipe);
    this.#remove = () => {
      for (const signal of SIGNALS) process.off(signal, onSignal);
      process.stdout.off('error', onPipe);
    };
  }

  remove(): void {
    this.#remove();
  }
}
