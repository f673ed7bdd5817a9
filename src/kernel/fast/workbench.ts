// What one thread works with, whatever job it runs: the columns that all threads of the peer share, its instance of
// the native kernel, and a piece of memory of its own for the run at hand.
import { Arena } from './arena.ts';
import { Columns } from './columns.ts';
import { type NativeKernel, nativeKernel } from './native.ts';

/** Bytes of the memory of a thread that was given none: what a command computes by itself. */
const OWN_BUDGET_BYTES = 268_435_456;

export class Workbench {
  readonly columns: Columns;
  readonly native: NativeKernel;
  /** Who has set the native kernel's market and broker. */
  user: unknown;
  #scratch: { readonly byteOffset: number; readonly byteLength: number } | undefined;

  /** Undefined where the native kernel does not run. */
  static on(arena: Arena): Workbench | undefined {
    const native = nativeKernel(arena);
    return native && new Workbench(new Columns(arena), native);
  }

  private constructor(columns: Columns, native: NativeKernel) {
    this.columns = columns;
    this.native = native;
  }

  /** Pointer to at least so many bytes, the thread's until it asks for more; undefined: there is no room. */
  scratch(byteLength: number): number | undefined {
    if (this.#scratch === undefined || this.#scratch.byteLength < byteLength) {
      if (this.#scratch !== undefined) this.columns.freeScratch(this.#scratch);
      const byteOffset = this.columns.scratch(byteLength);
      this.#scratch = byteOffset === undefined ? undefined : { byteOffset, byteLength };
      this.user = undefined;
      if (byteOffset !== undefined) this.native.setScratch(byteOffset);
    }
    return this.#scratch?.byteOffset;
  }
}

let own: { readonly bench: Workbench | undefined } | undefined;

/** This thread's, made when it is first wanted. */
export function ownWorkbench(): Workbench | undefined {
  own ??= { bench: Workbench.on(Arena.create(OWN_BUDGET_BYTES)) };
  return own.bench;
}
