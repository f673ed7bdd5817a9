// Records of several cores on one disk: the shell knows each by a number of its own, and what it says of that number is
// told to the core whose record it is.
import { invariant } from '../../invariant.ts';
import type { Input } from '../input.ts';
import type { Output } from '../output.ts';

type Persist = Extract<Output, { kind: 'persist' }>;
type Written = Extract<Input, { kind: 'persisted' | 'persistFailed' }>;

export class Records {
  /** Whose record it is, by the shell's number. */
  readonly #writing = new Map<number, { readonly tier: number; readonly id: number }>();
  /** The shell's number, by `tier:id`. */
  readonly #numbers = new Map<string, number>();
  #next = 1;

  order(tier: number, { id, entry }: Persist): Persist {
    const number = this.#next++;
    this.#writing.set(number, { tier, id });
    this.#numbers.set(`${tier}:${id}`, number);
    return { kind: 'persist', id: number, entry };
  }

  /** What a message of that core waits for, as the shell knows it; undefined: it is written already. */
  numberOf(tier: number, id: number): number | undefined {
    return this.#numbers.get(`${tier}:${id}`);
  }

  /** The fact as that core is to hear it. */
  told(fact: Written): { readonly tier: number; readonly input: Written } {
    const record = this.#writing.get(fact.id);
    invariant(record !== undefined, `record ${fact.id} was ordered, and not told of before`);
    this.#writing.delete(fact.id);
    this.#numbers.delete(`${record.tier}:${record.id}`);
    return { tier: record.tier, input: { ...fact, id: record.id } };
  }
}
