// Lines of rows in the order of their tasks, whoever finishes first: each waits for those before it.
export class TaskOrder {
  #next = 0;
  readonly #waiting = new Map<number, string>();

  /** `text` has a line for each of `shown`, in that order; the rest of `tasks` has none. Returns what is due now. */
  take(tasks: readonly number[], shown: readonly number[], text: string): string {
    for (const task of tasks) this.#waiting.set(task, '');
    const lines = text.split('\n');
    for (const [at, task] of shown.entries()) this.#waiting.set(task, `${lines[at]}\n`);
    let due = '';
    for (let line = this.#waiting.get(this.#next); line !== undefined; ) {
      due += line;
      this.#waiting.delete(this.#next);
      line = this.#waiting.get(++this.#next);
    }
    return due;
  }

  /** Of a job that has ended with gaps. */
  rest(): string {
    const lines = [...this.#waiting].toSorted(([a], [b]) => a - b).map(([, line]) => line);
    this.#waiting.clear();
    return lines.join('');
  }
}
