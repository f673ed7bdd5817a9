// mesh demo: a whole mesh on this computer, in a minute.
import { runDemo } from '../demo/demo.ts';

/** Exits non-zero when anything that the demo claims did not come true. */
export function demo(flags: { readonly fast?: boolean }): Promise<number> {
  return runDemo({ fast: flags.fast ?? false });
}
