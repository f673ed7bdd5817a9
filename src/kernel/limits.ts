// Bounds of what one job may ask for. Every peer applies the same ones, so a job that its submitter accepts
// is accepted everywhere, and no job file, however odd, makes a slot allocate or loop without end.

/** Tasks of one job. Claims pack a task index into 24 bits. */
export const MAX_TASKS = 16_777_215;

/** Tasks of a spin job whose costs differ from task to task: each may need its own run of work. A guess at
 * what a test ever wants; one million runs are some 50 MB. */
export const MAX_UNEVEN_TASKS = 1_000_000;

/** Longest single spin task, in milliseconds. */
export const MAX_COST_MS = 3_600_000;

/** Entries of a spin job's cost list. */
export const MAX_COST_LIST = 65_536;

/** Bars of one dataset: ten years of one-minute bars are 5.3 million. 48 bytes each. */
export const MAX_BARS = 16_777_216;

/** Datasets of one job. */
export const MAX_DATASETS = 1000;

/** Strategies (blocks of a grid) in one job file. */
export const MAX_STRATEGIES = 100_000;

/** Points of a grid of which a sample is taken: what a double counts without gaps. */
export const MAX_GRID_POINTS = Number.MAX_SAFE_INTEGER;

/** Combinations of variables that the `where` conditions of a job are tried on, when it is submitted and in every
 * slot: two variables of a thousand values each are a million, a quarter of a second. */
export const MAX_PRUNED_POINTS = 4_194_304;

/** Variables that one strategy may use. */
export const MAX_VARIABLES = 32;

/** Characters of one rule. The longest rule that people write is some 100. */
export const MAX_RULE_LENGTH = 2_000;

/** Levels of parentheses, calls and any/all/not in one rule. */
export const MAX_RULE_DEPTH = 32;

/** Rules in one list. */
export const MAX_RULES = 256;

/** Bars that an offset such as `close[1]` may look back. */
export const MAX_OFFSET = 100_000;

/** Bars that an indicator's period may span: TA-Lib's own bound. */
export const MAX_PERIOD = 100_000;

/** Bytes of indicator series and conditions that one compiled job keeps per slot beside the memory that all slots
 * share: what the reference engine needs, and what finds no room there. More keeps those strategies warm; less leaves
 * memory to the user's other programs. 128 MiB holds 160 series of 100,000 bars; a guess. */
export const SERIES_CACHE_BYTES = 134_217_728;

/** Conditions on columns in a job file, and characters of one. */
export const MAX_FILTERS = 32;
export const MAX_FILTER_LENGTH = 1000;

/** Test parts of a walk-forward split: more than days of four years mean nothing. */
export const MAX_FOLDS = 1_000;

/** Winners of a job: what people look at, and what is run again to judge overfitting. */
export const MAX_KEEP = 10_000;
