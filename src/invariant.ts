// The two checks every room shares. A broken invariant is a bug of ours, never a peer's or a user's
// fault: it throws, the daemon logs it and exits, and the second copy of the ledger makes that safe.

export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${message}`);
}

/** Marks a branch that the types say cannot be reached. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
