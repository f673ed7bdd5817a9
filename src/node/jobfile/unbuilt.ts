// Keys that belong to the job file's format and that this version does not compute. They are refused by name: a rule
// that is silently left out makes every result wrong.

/** By the kind of object they appear in. */
export const UNBUILT_KEYS: Readonly<Record<string, readonly string[]>> = {
  file: ['mine'],
};
