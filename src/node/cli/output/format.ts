// Numbers, times and names as people read them. Pure; everything a screen prints goes through here, so that the
// same figure looks the same on every screen.

/** What a terminal would obey. Names come from other machines and must not be able to move the cursor. */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

export function printable(text: string): string {
  return text.replaceAll(CONTROL_CHARACTERS, '?');
}

/** 4000 -> 4,000 */
export function formatCount(value: number): string {
  return Math.round(value)
    .toString()
    .replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

/** 37.2, 88, 1,204: three digits that mean something. */
export function formatRate(perSec: number): string {
  if (perSec >= 100) return formatCount(perSec);
  return perSec === 0 ? '0' : perSec.toFixed(1);
}

/** 320 -> 0.3 s, 18000 -> 18 s, 544000 -> 9m 04s, 3700000 -> 1h 01m */
export function formatDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${pad2(seconds % 60)}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours}h ${pad2(minutes % 60)}m`;
  return `${Math.floor(hours / 24)} days`;
}

function pad2(value: number): string {
  return value.toString().padStart(2, '0');
}

/** 3.1ms, 18ms; for a peer itself a dash. */
export function formatRtt(rttMs: number): string {
  if (rttMs <= 0) return '-';
  return rttMs < 10 ? `${rttMs.toFixed(1)}ms` : `${Math.round(rttMs)}ms`;
}

/** 0.424 -> 42% */
export function formatShare(share: number): string {
  return `${Math.round(share * 100)}%`;
}

export function formatAgo(iso: string, nowMs: number): string {
  const ms = nowMs - Date.parse(iso);
  if (!Number.isFinite(ms)) return '-';
  return ms < 1000 ? 'now' : `${formatDuration(Math.max(0, ms))} ago`;
}

/** 12D3KooWAbc…x7Qa -> 12D3…x7Qa */
export function shortPeerId(id: string): string {
  return id.length <= 12
    ? printable(id)
    : `${printable(id.slice(0, 4))}…${printable(id.slice(-4))}`;
}

/** host:port, the port only when it is not the one that `--peer` assumes; IPv6 in brackets. */
export function peerAddress(addr: string, port: number): string {
  const host = printable(addr);
  if (port === DEFAULT_PORT) return host;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

export const DEFAULT_PORT = 7420;

const FRACTIONS: ReadonlySet<string> = new Set(['totalReturn', 'cagr', 'buyHold']);
const PERCENTAGES: ReadonlySet<string> = new Set([
  'maxDrawdown',
  'volatility',
  'winRate',
  'exposure',
]);

/** A metric by its name: returns with a sign and per cent, drawdown as a loss, counts whole. */
export function formatMetric(name: string, value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '-';
  if (FRACTIONS.has(name)) return `${value < 0 ? '−' : '+'}${percent(Math.abs(value))}`;
  if (name === 'maxDrawdown') return value === 0 ? '0%' : `−${percent(Math.abs(value))}`;
  if (PERCENTAGES.has(name)) return percent(value);
  if (Number.isInteger(value)) return value < 0 ? `−${formatCount(-value)}` : formatCount(value);
  const digits =
    Math.abs(value) >= 1000 ? formatCount(Math.abs(value)) : Math.abs(value).toFixed(2);
  return value < 0 ? `−${digits}` : digits;
}

const METRIC_NAMES: Readonly<Record<string, string>> = {
  sharpe: 'Sharpe',
  totalReturn: 'return',
  maxDrawdown: 'max DD',
  winRate: 'win rate',
};

/** As people say it; others as they are called in the results. */
export function metricName(name: string): string {
  return METRIC_NAMES[name] ?? name;
}

function percent(value: number): string {
  const points = value * 100;
  return Number.isFinite(points)
    ? `${points < 10 ? points.toFixed(1) : formatCount(points)}%`
    : '∞';
}

/** ema-cross fast=8 slow=50 (s2328) */
export function taskTitle(
  task: number,
  label: { name: string; params: Readonly<Record<string, number | string>> } | undefined,
): string {
  if (label === undefined) return `s${task}`;
  const params = Object.entries(label.params).map(([name, value]) => `${name}=${value}`);
  return printable([label.name, ...params, `(s${task})`].join(' '));
}

/** "1 peer", "4 peers" */
export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : nouns}`;
}

/** The metrics that say at a glance whether a strategy is worth a look; others by `mesh results`. */
const METRICS_SHOWN = ['sharpe', 'totalReturn', 'maxDrawdown', 'trades', 'winRate'] as const;
const METRICS_SHOWN_MAX = 5;

/** A kernel without these metrics (spin) shows its own first ones. */
export function shownMetrics(columns: readonly string[]): readonly string[] {
  const usual = METRICS_SHOWN.filter((name) => columns.includes(name));
  return usual.length > 0 ? usual : columns.slice(0, METRICS_SHOWN_MAX);
}
