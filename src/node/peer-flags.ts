// Flags of Node for every process that is started to be a peer. What comes as data (a job, a message, a name) must never
// become code, nor change what objects inherit; the linter sees to it in our own code, these see to it in all of it.
export const PEER_FLAGS = [
  '--disallow-code-generation-from-strings',
  '--disable-proto=delete',
] as const;
