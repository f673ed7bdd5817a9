// What every process that is started to be a peer is given: flags of Node, and a setting of the C library. What comes as
// data (a job, a message, a name) must never become code, nor change what objects inherit; the linter sees to it in our own
// code, the first two flags see to it in all of it.
//
// Young objects of each thread get 3 x 4 MiB instead of 3 x 16, which they would fill before anybody cleans up: a peer lives
// for weeks beside other programs. Less costs more collections; at 4 MiB 2,000,000 malformed frames leave 8 MiB and not
// 79 (scripts/fuzz.ts). Below 2 GiB of heap V8 lets old objects grow to twice what lives before it cleans up, above to four
// times: what lives of a peer is some 40 MB, rows lie outside of the heap, and slots have limits of their own.
export const PEER_FLAGS = [
  '--disallow-code-generation-from-strings',
  '--disable-proto=delete',
  '--max-semi-space-size=4',
  '--max-old-space-size=2000',
] as const;

/**
 * On Linux glibc gives threads that allocate at the same time arenas of their own, up to eight a core, and returns little
 * of them. With two, a peer of two slots holds 218 MB after eight jobs and not 254 (measured); less costs threads a wait
 * for each other, and slots compute in memory of their own. Elsewhere nobody reads it.
 */
export const PEER_ENVIRONMENT = { MALLOC_ARENA_MAX: '2' } as const;
