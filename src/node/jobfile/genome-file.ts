// Genomes of the old miner wherever they stand: among the strategies of a job file, alone in a file, in a list, or
// in a result file that holds them under "genome". All become strategies; complaints about them are led back to
// where they stand.

import { type TranslatedGenome, isGenome, translateGenome } from './genome.ts';
import type { Finding, Path } from './place.ts';

export interface GenomesTranslated {
  /** The job file with strategies in the place of genomes. */
  readonly file: unknown;
  /** The whole file is genomes: data and costs come from the command line. */
  readonly isBare: boolean;
  readonly findings: readonly Finding[];
  readonly warnings: readonly string[];
  /** Bar lengths that genomes were made for. */
  readonly timeframes: readonly { readonly path: Path; readonly ms: number }[];
  /** From a path in `file` to the path in the user's file. */
  originalPath(path: Path): Path;
}

interface Place {
  readonly path: Path;
  readonly value: unknown;
}

export function translateGenomes(file: unknown): GenomesTranslated {
  const bare = bareGenomes(file);
  const places = bare ?? strategyPlaces(file);
  const findings: Finding[] = [];
  const translated = new Map<number, { place: Place; genome: TranslatedGenome }>();
  const strategies = places.map((place, index) => {
    const { value, path } = place;
    if (!isGenome(value)) {
      if (bare !== undefined)
        findings.push({ path, message: 'this is no genome: it has no "entry_rules"' });
      return value;
    }
    const genome = translateGenome(value, path, `genome-${index + 1}`);
    translated.set(index, { place, genome });
    findings.push(...genome.findings);
    return genome.strategy;
  });
  const genomes = [...translated.values()];
  return {
    file:
      bare === undefined
        ? withStrategies(file, strategies, translated.size)
        : { version: 1, strategies },
    isBare: bare !== undefined,
    findings,
    warnings: countRemarks(genomes.map(({ genome }) => genome)),
    timeframes: genomes.flatMap(({ place, genome: { timeframeMs: ms } }) =>
      ms === undefined ? [] : [{ path: [...place.path, 'params', 'timeframe'], ms }],
    ),
    originalPath: (path) => {
      const [head, index, ...rest] = path;
      if (head !== 'strategies' || typeof index !== 'number') return path;
      const found = translated.get(index);
      if (found === undefined) return bare === undefined ? path : (places[index]?.path ?? []);
      return [...found.place.path, ...originalRest(found.genome.origins, rest)];
    },
  };
}

function originalRest(origins: TranslatedGenome['origins'], rest: Path): Path {
  const [first = '', second = '', ...more] = rest;
  const list = origins[`${first}.${second}`];
  if (list !== undefined) return [...list, ...more];
  return origins[first] ?? [];
}

/** The genomes of a file that is nothing else; undefined for a job file. */
function bareGenomes(file: unknown): Place[] | undefined {
  const found = genomesIn(file, []);
  if (found !== undefined) return found;
  if (typeof file !== 'object' || file === null || 'version' in file) return undefined;
  // A result file may hold its list under any one key.
  for (const [key, value] of Object.entries(file)) {
    const inside = Array.isArray(value) ? genomesIn(value, [key]) : undefined;
    if (inside !== undefined) return inside;
  }
  return undefined;
}

function genomesIn(value: unknown, path: Path): Place[] | undefined {
  if (Array.isArray(value)) {
    const hasGenome = value.some((item) => genomesIn(item, []) !== undefined);
    if (!hasGenome) return undefined;
    return value.flatMap((item: unknown, index) => {
      const at = [...path, index];
      return genomesIn(item, at) ?? [{ path: at, value: item }];
    });
  }
  if (isGenome(value)) return [{ path, value }];
  if (typeof value !== 'object' || value === null || !('genome' in value)) return undefined;
  return genomesIn(value.genome, [...path, 'genome']);
}

function strategyPlaces(file: unknown): Place[] {
  if (typeof file !== 'object' || file === null || !('strategies' in file)) return [];
  const { strategies } = file;
  if (!Array.isArray(strategies)) return [];
  return strategies.map((value: unknown, index) => ({ path: ['strategies', index], value }));
}

function withStrategies(file: unknown, strategies: readonly unknown[], genomes: number): unknown {
  return genomes === 0 ? file : { ...(file as object), strategies };
}

function countRemarks(genomes: readonly TranslatedGenome[]): string[] {
  if (genomes.length === 0) return [];
  const counts = new Map<string, number>();
  for (const { remarks } of genomes) {
    for (const remark of remarks) counts.set(remark, (counts.get(remark) ?? 0) + 1);
  }
  const counted = [...counts].map(
    ([remark, count]) => `${remark} (${count} of ${genomes.length} genomes)`,
  );
  const general =
    'genomes run by the rules of this program: fills at the next open, gaps and stops as documented, ' +
    `Wilder's RSI, no exit but stop and target unless they have exit_rules (${genomes.length} genomes)`;
  return [general, ...counted];
}
