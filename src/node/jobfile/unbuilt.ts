// Keys and values that belong to the job file's format and that this version does not compute. They are
// refused by name: a rule that is silently left out makes every result wrong.

/** By the kind of object they appear in. */
export const UNBUILT_KEYS: Readonly<Record<string, readonly string[]>> = {
  file: ['split', 'keep', 'filter', 'mine'],
  strategy: ['indicators', 'entry_rules', 'exit_rules', 'params'],
};

/** Values by their key. */
export const UNBUILT_VALUES: Readonly<Record<string, readonly string[]>> = {
  rank: ['dsr'],
};

/** A bare genome of the old miner, or a file of them. */
export function isGenomeFile(value: unknown): boolean {
  const one: unknown = Array.isArray(value) ? value[0] : value;
  if (typeof one !== 'object' || one === null) return false;
  return 'entry_rules' in one || 'genome' in one;
}
