// A rule's conditions by grid point. The text under which a condition is cached costs more to print than a warm
// task takes; this remembers which condition belongs to which values of the few variables that the rule names.

import { type Rule, variablesOfRule } from '../language/ast.ts';
import type { VariableValue } from '../language/print.ts';
import type { BitBook, BitCondition } from './bit-book.ts';

/** Conditions that one rule remembers, some 100 bytes each with their place in the map; beyond that it forgets
 * all and asks the book again. A guess: more than a rule with two variables usually spans. */
const REMEMBERED_MAX = 16_384;

/** One level per variable of the rule: its value to the next level, at the last to the condition. */
type Level = Map<number, Level | BitCondition>;

export class RuleBits {
  readonly #rule: Rule;
  readonly #book: BitBook;
  /** Places of the rule's variables among the grid's. */
  readonly #places: readonly number[];
  #root: Level = new Map();
  #remembered = 0;

  constructor(rule: Rule, book: BitBook, names: readonly string[]) {
    this.#rule = rule;
    this.#book = book;
    this.#places = [...variablesOfRule(rule)].map((name) => names.indexOf(name));
  }

  /** `values`: of all variables of the grid. Throws a TaskFault when an indicator cannot take its parameter. */
  at(values: Float64Array, valueOf: VariableValue): BitCondition {
    if (this.#places.length === 0) return this.#book.fixedCondition(this.#rule, valueOf);
    const known = this.#recall(values);
    if (known !== undefined && this.#book.isAlive(known)) return known;
    const condition = this.#book.condition(this.#rule, valueOf);
    this.#remember(values, condition);
    return condition;
  }

  #recall(values: Float64Array): BitCondition | undefined {
    let level: Level | BitCondition | undefined = this.#root;
    for (const place of this.#places) {
      if (!(level instanceof Map)) return undefined;
      level = level.get(values[place] as number);
    }
    return level instanceof Map ? undefined : level;
  }

  #remember(values: Float64Array, condition: BitCondition): void {
    if (this.#remembered >= REMEMBERED_MAX) {
      this.#root = new Map();
      this.#remembered = 0;
    }
    this.#remembered++;
    let level = this.#root;
    const last = this.#places.length - 1;
    for (const place of this.#places.slice(0, last)) {
      const value = values[place] as number;
      let next = level.get(value);
      if (!(next instanceof Map)) level.set(value, (next = new Map()));
      level = next;
    }
    level.set(values[this.#places[last] as number] as number, condition);
  }
}
