// Luck or skill: what the segments of a job's winners, and of tasks that stand for all, say about the best of them.
import {
  deflatedSharpe,
  luckySharpe,
  momentsOf,
  type ReturnSums,
} from '../../../kernel/statistics/deflated-sharpe.ts';
import { overfitProbability } from '../../../kernel/statistics/overfit-probability.ts';
import type { ResultsView } from '../../control/api.ts';
import type { SegmentsView } from '../../control/segments-api.ts';
import { formatCount, formatMetric, formatShare, plural, taskTitle } from './format.ts';
import { type Column, cutToWidth, renderTable } from './table.ts';

interface WinnerReport {
  readonly task: number;
  readonly name: string;
  readonly params: Readonly<Record<string, number | string>>;
  /** Per year, as in its row. */
  readonly sharpe: number | null;
  /** How likely its true Sharpe ratio is above that of the luckiest trial; null: undefined. */
  readonly dsr: number | null;
  readonly trades: number | null;
}

export interface OverfitReport {
  readonly v: 1;
  readonly job: string;
  readonly segmentsJob: string;
  readonly trials: number;
  /** Sharpe ratio per year that the best of so many trials shows by luck alone. */
  readonly luckySharpe: number | null;
  /** Best first. */
  readonly winners: readonly WinnerReport[];
  readonly segments: number;
  /** Tasks that stand for all in what follows. */
  readonly drawn: number;
  readonly combinations: number;
  /** Null, with the reason: it cannot be told. */
  readonly pbo: number | null;
  readonly lossShare: number | null;
  readonly why: string | null;
}

/** Days per segment below which a deviation means nothing. */
const SEGMENT_DAYS_MIN = 2;

/** `winners`: rows with labels; `sums`: rows of the segments' job. `trials`: instead of the job's own tasks. */
export function overfitReport(
  asked: SegmentsView,
  winners: ResultsView,
  sums: ResultsView,
  trials = asked.trials.tasks,
): OverfitReport {
  const book = new SumsBook(asked, sums);
  const { annualDays } = book;
  const variance = asked.trials.sharpeVariance / annualDays;
  const lucky = luckySharpe({ count: trials, variance }) * Math.sqrt(annualDays);
  const [sharpeAt, tradesAt] = ['sharpe', 'trades'].map((name) => winners.columns.indexOf(name));
  const reports = winners.rows.map((row, at): WinnerReport => {
    const task = row[0] ?? 0;
    const total = book.total(task);
    const dsr = total && deflatedSharpe(total, { count: trials, variance });
    return {
      task,
      name: winners.labels?.[at]?.name ?? '',
      params: winners.labels?.[at]?.params ?? {},
      sharpe: row[sharpeAt ?? 0] ?? null,
      dsr: orNull(dsr),
      trades: row[tradesAt ?? 0] ?? null,
    };
  });
  return {
    v: 1,
    job: asked.job,
    segmentsJob: asked.segmentsJob,
    trials,
    luckySharpe: orNull(lucky),
    winners: reports.toSorted((a, b) => (b.dsr ?? -1) - (a.dsr ?? -1) || a.task - b.task),
    segments: asked.segments,
    ...book.overfit(),
  };
}

/** The rows of a segments' job, by the task that they look back at. */
class SumsBook {
  readonly annualDays: number;
  readonly #asked: SegmentsView;
  readonly #rows: readonly (readonly (number | null)[])[];
  readonly #placeOf: ReadonlyMap<number, number>;

  constructor(asked: SegmentsView, { rows }: ResultsView) {
    this.#asked = asked;
    this.#rows = rows;
    this.#placeOf = new Map(asked.of.map((task, place) => [task, place]));
    this.annualDays = rows.find((row) => row[6] !== null)?.[6] ?? Number.NaN;
  }

  /** Of all segments together; undefined for a task that failed. */
  total(task: number): ReturnSums | undefined {
    const total = [0, 0, 0, 0, 0];
    for (const row of this.#segments(task)) {
      for (let k = 0; k < total.length; k++) total[k] = (total[k] ?? 0) + (row[k + 1] ?? NaN);
    }
    const [days = 0, sum = 0, sum2 = 0, sum3 = 0, sum4 = 0] = total;
    return days > 0 ? { days, sum, sum2, sum3, sum4 } : undefined;
  }

  overfit(): Pick<OverfitReport, 'drawn' | 'combinations' | 'pbo' | 'lossShare' | 'why'> {
    const { drawn, segments } = this.#asked;
    const known = drawn.filter((task) => this.total(task) !== undefined);
    const sums = Float64Array.from(
      known.flatMap((task) => this.#segments(task).flatMap((row) => row.slice(1, 4).map(orNaN))),
    );
    const fewestDays = this.#rows.reduce(
      (least, row) => Math.min(least, row[1] ?? least),
      Infinity,
    );
    const moving = known.filter((task) => {
      const total = this.total(task);
      return total !== undefined && !Number.isNaN(momentsOf(total).sharpe);
    });
    const why =
      fewestDays < SEGMENT_DAYS_MIN
        ? `the data has fewer than ${SEGMENT_DAYS_MIN * segments} days, ${SEGMENT_DAYS_MIN} for each segment`
        : moving.length < 2
          ? 'it takes two strategies that traded'
          : null;
    const base = { drawn: known.length, combinations: 0, pbo: null, lossShare: null, why };
    if (why !== null) return base;
    return { ...base, ...overfitProbability({ strategies: known.length, segments, sums }) };
  }

  #segments(task: number): readonly (readonly (number | null)[])[] {
    const place = this.#placeOf.get(task);
    const { segments } = this.#asked;
    return place === undefined ? [] : this.#rows.slice(place * segments, (place + 1) * segments);
  }
}

function orNull(value: number | undefined): number | null {
  return value === undefined || !Number.isFinite(value) ? null : value;
}

function orNaN(value: number | null): number {
  return value ?? Number.NaN;
}

/** `top`: winners at most. */
export function renderOverfit(report: OverfitReport, top: number, width: number): string[] {
  const columns: Column[] = [
    { title: 'SHARPE', align: 'right' },
    { title: 'DEFLATED', align: 'right' },
    { title: 'TRADES', align: 'right' },
    { title: 'STRATEGY', align: 'left' },
  ];
  const rows = report.winners
    .slice(0, top)
    .map(({ task, name, params, sharpe, dsr, trades }) => [
      formatMetric('sharpe', sharpe),
      dsr === null ? '-' : dsr.toFixed(3),
      trades === null ? '-' : formatCount(trades),
      taskTitle(task, { name, params }),
    ]);
  const { trials, winners, luckySharpe, drawn, segments, combinations, pbo, lossShare } = report;
  const hidden = winners.length - rows.length;
  const lines = [
    ...renderTable(columns, rows, width),
    ...(hidden > 0 ? [`  … ${plural(hidden, 'more winner')} (--top)`] : []),
    '',
    `  trials     ${formatCount(trials)} (of all generations together: --trials N)`,
    `  luck       alone gives the best of so many a Sharpe ratio of ${formatMetric('sharpe', luckySharpe)};`,
    '             DEFLATED is the chance of truly more than that (0.95 is good)',
    ...(pbo === null || lossShare === null
      ? [`  overfit    cannot be told: ${report.why}`]
      : [
          `  overfit    ${formatShare(pbo)}: so often the best in half of the time is below the`,
          `             median in the other half; in ${formatShare(lossShare)} it loses there`,
          `             (${formatCount(combinations)} ways to halve ${segments} segments, ${plural(drawn, 'task')})`,
        ]),
  ];
  return lines.map((line) => cutToWidth(line, width));
}
