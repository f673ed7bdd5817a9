// What the misbehaving slot's tasks do, by task index.

/** Every task without a misdeed writes its index. */
export const THROWS = 1001;
export const EATS_THE_HEAP = 1002;
export const NEVER_ENDS = 1003;
export const EXITS = 1004;
