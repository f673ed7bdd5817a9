// How often each scenario has been run, over many starts of the program, and what went wrong.
import { readFile, rename, writeFile } from 'node:fs/promises';

interface Count {
  runs: number;
  /** Numbers that were given out; a run that was cut off leaves a gap. */
  next: number;
  readonly failures: { readonly seed: number; readonly wrong: string }[];
}

export class Tally {
  readonly #file: string;
  readonly #counts: Record<string, Count>;

  private constructor(file: string, counts: Record<string, Count>) {
    this.#file = file;
    this.#counts = counts;
  }

  static async open(file: string): Promise<Tally> {
    const text = await readFile(file, 'utf8').catch(() => '{}');
    return new Tally(file, JSON.parse(text) as Record<string, Count>);
  }

  of(scenario: string): Count {
    return (this.#counts[scenario] ??= { runs: 0, next: 1, failures: [] });
  }

  /** The number of the next run, which is its seed. */
  next(scenario: string): number {
    return this.of(scenario).next++;
  }

  async note(scenario: string, run: { seed: number; wrong: string | undefined }): Promise<void> {
    const count = this.of(scenario);
    count.runs++;
    if (run.wrong !== undefined) count.failures.push({ seed: run.seed, wrong: run.wrong });
    await writeFile(`${this.#file}.new`, `${JSON.stringify(this.#counts, null, 1)}\n`);
    await rename(`${this.#file}.new`, this.#file);
  }
}
