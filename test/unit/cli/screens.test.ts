// The screens as pure functions: widths 40, 80 and 200, with and without colour.
import { renderEfficiency } from '../../../src/node/cli/output/efficiency-screen.ts';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { ProgressEvent } from '../../../src/node/control/api.ts';
import { renderError } from '../../../src/node/cli/fail.ts';
import {
  renderJobs,
  renderResults,
  renderShares,
  renderSummary,
  renderTrades,
} from '../../../src/node/cli/output/job-screens.ts';
import {
  renderJoined,
  renderPeers,
  renderStatus,
  renderWidePeers,
} from '../../../src/node/cli/output/peer-screens.ts';
import {
  openProgress,
  renderProgress,
  renderProgressLine,
} from '../../../src/node/cli/output/progress.ts';
import { cutToWidth, renderBar, renderTable } from '../../../src/node/cli/output/table.ts';
import { noPaint, type Paint, type Terminal } from '../../../src/node/cli/output/terminal.ts';
import { renderTsv } from '../../../src/node/cli/output/tsv.ts';
import { MeshError } from '../../../src/node/errors.ts';
import { jobSummary, jobView, peersView, peerView, statusView } from '../control/fake-peer.ts';

const colour: Paint = (_style, text) => `\x1b[1m${text}\x1b[22m`;
const nowMs = Date.parse('2026-01-05T10:32:29.000Z');
const widths = [40, 80, 200];

const progress: ProgressEvent = {
  kind: 'progress',
  job: 'j-7f3a',
  name: 'strategies.json',
  tasks: 4000,
  done: 2437,
  failed: 3,
  cached: 0,
  elapsedMs: 28_000,
  donePerSec: 88,
  etaMs: 18_000,
  peers: [
    { id: 'a', name: 'studio', slots: 12, running: 12, share: 0.42, done: 1024 },
    { id: 'b', name: 'mbp-m3', slots: 10, running: 9, share: 0.58, done: 1413 },
  ],
  copies: [{ peer: 'air', sha256: 'b'.repeat(64), sentBytes: 40, bytes: 100 }],
  best: {
    task: 2328,
    name: 'ema-cross',
    params: { fast: 8, slow: 50 },
    metrics: { sharpe: 2.31, totalReturn: 1.4, maxDrawdown: 0.12 },
  },
};

const screens: readonly (readonly [string, (width: number, paint: Paint) => string[]])[] = [
  ['peers', (width, paint) => renderPeers(peersView(), width, paint)],
  ['peers, wide', (width, paint) => renderWidePeers(peersView(), width, paint, nowMs)],
  ['jobs', (width) => renderJobs({ v: 1, jobs: [jobView()] }, nowMs, width)],
  ['progress', (width, paint) => renderProgress(progress, width, paint)],
  ['shares', (width) => renderShares(jobSummary(), width)],
];

describe.each(screens)('the %s screen', (_name, render) => {
  test.each(widths)('fits %d columns', (width) => {
    for (const line of render(width, colour)) {
      expect(stripVTControlCharacters(line).length).toBeLessThanOrEqual(width);
    }
  });

  test.each(widths)('says the same at %d columns with and without colour', (width) => {
    const plain = render(width, noPaint);
    expect(render(width, colour).map(stripVTControlCharacters)).toEqual(plain);
    expect(plain.join('\n')).not.toContain('\x1b');
  });
});

test('mesh peers on a narrow screen has whole columns, and those that matter', () => {
  expect(renderPeers(peersView(), 50, noPaint)).toEqual([
    'PEER      STATE   BUSY  QUEUE  DONE/s  SHARE',
    'studio ●  ok     12/12    311    37.2   42%',
    'mbp-m3    ok     10/10     88    27.9   32%',
    '2 peers · 22 slots · 65.1 backtests/s · 399 queue…',
  ]);
});

test('mesh peers at 120 columns', () => {
  expect(renderPeers(peersView(), 120, noPaint)).toEqual([
    'PEER      ADDRESS        STATE   BUSY  QUEUE  DONE/s  SHARE            STOLE  GAVE    RTT',
    'studio ●  100.77.179.14  ok     12/12    311    37.2  ████▎       42%      0   180      -',
    'mbp-m3    100.77.179.15  ok     10/10     88    27.9  ███▏        32%     41    44  3.1ms',
    '2 peers · 22 slots · 65.1 backtests/s · 399 queued      ● this machine',
  ]);
});

test('mesh peers warns of a relay and of another version, and only then', () => {
  const view = peersView();
  const old = peerView({ id: 'x', name: 'air', version: '0.0.9', path: 'relay', rttMs: 48 });
  expect(renderPeers({ ...view, peers: [...view.peers, old] }, 120, noPaint).slice(-2)).toEqual([
    'air runs mesh 0.0.9, this is 0.1.0',
    'air is reached through a relay (48ms)',
  ]);
});

test('mesh jobs', () => {
  const ended = jobView({ id: 'j-e9d1', state: 'done', done: 4000, failed: 0, etaMs: null });
  expect(renderJobs({ v: 1, jobs: [jobView(), ended] }, nowMs, 120)).toEqual([
    'ID      NAME             STATE           DONE  FAILED  DONE/s   ETA  OWNER   STARTED',
    'j-7f3a  strategies.json  running  2,440/4,000       3    88.0  18 s  studio  28 s ago',
    'j-e9d1  strategies.json  done     4,000/4,000       0       -     -  studio  28 s ago',
  ]);
  const stuck = jobView({
    stuck: 'the job needs 64.0 GiB of memory, and this machine has 16.0 GiB',
  });
  expect(renderJobs({ v: 1, jobs: [stuck] }, nowMs, 200).at(-1)).toMatch(
    /runs nowhere: the job needs 64.0 GiB of memory.*submit its file again/,
  );
  expect(renderJobs({ v: 1, jobs: [] }, nowMs, 80)).toEqual([
    'no jobs yet; try: mesh submit strategies.json',
  ]);
});

test('mesh status', () => {
  expect(renderStatus(statusView(), nowMs, noPaint)).toEqual([
    'this machine  studio  12D3…udio  100.77.179.14:7420   node running 32m 29s (pid 4242), mesh 0.1.0',
    'mesh          2 peers, 22 slots; 2 of 2 reachable',
    'work          12/12 slots busy, 311 queued here, 1 job running, 1 owned here',
    'disk          1.20 GB of jobs and data, ended jobs stay 30 days, 20 GB at most; power-safe',
    '  details: mesh peers   mesh jobs   mesh doctor',
  ]);
  const { disk } = statusView();
  const reason = 'the disk is full: nothing new is kept until there is space';
  const full = statusView({
    state: 'draining',
    stepsBack: 'leaving',
    disk: {
      ...disk,
      state: 'full',
      freeBytes: 2e8,
      refuses: { since: new Date(nowMs - 90_000).toISOString(), reason },
      damaged: ['00000002.segment'],
    },
  });
  expect(renderStatus(full, nowMs, noPaint).slice(4, 8)).toEqual([
    'this peer is leaving the mesh',
    'the disk is full (0.2 GB free): rows are kept on other peers',
    `  for 90 s: ${reason}`,
    "  journal/00000002.segment is damaged: what it held is on other peers' disks",
  ]);
  const sparing = statusView({ state: 'draining', stepsBack: 'sparing' });
  expect(renderStatus(sparing, nowMs, noPaint)[4]).toBe(
    'on battery below half: this peer goes on with its own jobs and takes no work of others',
  );
  const drained = statusView({ state: 'draining', stepsBack: 'drained' });
  expect(renderStatus(drained, nowMs, noPaint)[4]).toContain('mesh undrain');
});

test('mesh join says whom it found, or how the others come in', () => {
  expect(renderJoined(statusView(), peersView(), noPaint)).toEqual([
    'studio joined the mesh (peer 12D3…udio, 12 slots, 100.77.179.14:7420)',
    '  found 1 peer: mbp-m3 10 slots 3.1ms',
    '  work is coming in: 88 backtests queued on other peers',
    '  see it: mesh top    submit here: mesh submit strategies.json    keep it: mesh service install',
  ]);
  const own = statusView();
  const alone = { ...own, self: { ...own.self, port: 7421 } };
  expect(renderJoined(alone, { ...peersView(), peers: [peerView()] }, noPaint)).toEqual([
    'studio started a new mesh of one (peer 12D3…udio, 12 slots, 100.77.179.14:7421)',
    '  on the other machines: mesh join --peer 100.77.179.14:7421',
    '  submit here: mesh submit strategies.json    keep it: mesh service install',
  ]);
});

test('the end of a job', () => {
  expect(renderSummary(jobSummary(), 120, noPaint)).toEqual([
    '4,000 backtests in 46 s on 2 peers (the fastest alone: about 78 s)   3,997 ok · 3 failed · 61 steals',
    '  COUNT  SHARE  PEER    ADDRESS        SLOTS  SPEED',
    '  2,300  57.5%  studio  100.77.179.14     12  57.4%',
    '  1,697  42.5%  mbp-m3  100.77.179.15     10  42.6%',
    '  efficiency 97.0% of what these speeds allow',
    '  SHARPE  RETURN  MAX DD  TRADES  STRATEGY',
    '    2.31   +140%    −12%     210  ema-cross fast=8 slow=50 (s2328)',
    '  all results: mesh results j-7f3a    who did what: mesh results j-7f3a --by peer',
    '  what failed: mesh results j-7f3a --failed',
  ]);
});

test('the end of a job whose rows were all known speaks of no shares and no speed', () => {
  const known = jobSummary({
    done: 4000,
    failed: 0,
    cached: 4000,
    elapsedMs: 100,
    steals: 0,
    top: [],
  });
  const idle = { ...known, peers: known.peers.map((peer) => ({ ...peer, done: 0, share: 0 })) };
  expect(renderSummary(idle, 120, noPaint)).toEqual([
    '4,000 backtests in 0.1 s, all known already   4,000 ok · 0 failed',
    '  all results: mesh results j-7f3a    who did what: mesh results j-7f3a --by peer',
  ]);
  expect(renderShares(idle, 120)).toEqual([
    'all 4,000 were known already, so nobody computed any (--fresh does)',
  ]);
});

test('a job that was known already has no efficiency', () => {
  const known = jobSummary({ done: 4_000, failed: 0, cached: 4_000 });
  expect(renderEfficiency(known, 80)).toEqual([
    'all 4,000 were known already: nothing ran (--fresh computes them)',
  ]);
});

function again(change: object): string[] {
  const lines = renderSummary(jobSummary(change), 120, noPaint);
  return lines.filter((line) => line.includes('ran again'));
}

test('the end of a job says which bars its rows are about, where these are not all', () => {
  const stretches = [
    { symbol: 'AAPL', from: '2017-01-03T00:00:00.000Z', to: null },
    { symbol: null, from: '2017-01-03T09:30:00.000Z', to: '2018-01-01T00:00:00.000Z' },
    { symbol: null, from: null, to: '2018-01-01T00:00:00.000Z' },
  ];
  const lines = renderSummary(jobSummary({ stretches }), 120, noPaint);
  expect(lines.filter((line) => line.includes('rows are about'))).toEqual([
    '  rows are about the bars of AAPL from 2017-01-03',
    '  rows are about the bars from 2017-01-03T09:30Z before 2018-01-01',
    '  rows are about the bars before 2018-01-01',
  ]);
});

test('the end of a job says what ran again, and why', () => {
  expect(again({})).toEqual([]);
  expect(again({ lost: 1 })).toEqual(['  ran again: 1 backtest of peers that were lost']);
  expect(again({ lost: 1_234, checked: 64 })).toEqual([
    '  ran again: 1,234 backtests of peers that were lost · 64 to compare the rows, all equal',
  ]);
  expect(again({ checked: 64, disputed: 1 })).toEqual(['  ran again: 64 to compare the rows']);
});

test('the end of a job that one peer would have done as fast says that it was too short', () => {
  const { efficiency } = jobSummary();
  const short = jobSummary({ elapsedMs: 400, efficiency: { ...efficiency, bound: 0.4 } });
  expect(renderSummary(short, 120, noPaint)[0]).toContain(
    '4,000 backtests in 0.4 s on 2 peers (too short to gain by sharing)',
  );
});

test('on a narrow screen the counts of a job stand below its time', () => {
  expect(renderSummary(jobSummary(), 80, noPaint).slice(0, 2)).toEqual([
    '4,000 backtests in 46 s on 2 peers (the fastest alone: about 78 s)',
    '  3,997 ok · 3 failed · 61 steals',
  ]);
});

test('the end of a cancelled job says how far it came', () => {
  const cancelled = jobSummary({ state: 'cancelled', done: 132, failed: 0, top: [] });
  expect(renderSummary(cancelled, 120, noPaint)[0]).toBe(
    'cancelled after 132 of 4,000 backtests, 46 s on 2 peers   132 ok · 0 failed · 61 steals',
  );
});

test('a job of a kernel without trading metrics shows its own columns', () => {
  const view = {
    v: 1,
    job: 'j-1',
    columns: ['task', 'loops', 'hash'],
    rows: [[3, 17, null]],
  } as const;
  expect(renderResults(view, 80)).toEqual(['LOOPS  HASH  STRATEGY', '   17     -  s3']);
});

test('trades', () => {
  const trade = {
    side: 'long',
    entryBar: 10,
    exitBar: 14,
    entryTime: '2024-01-02T00:00:00.000Z',
    exitTime: '2024-01-06T00:00:00.000Z',
    size: 0.123_456_789,
    entryPrice: 42_000.5,
    exitPrice: 43_000.25,
    pnl: -12.345,
    exitReason: 'stop',
  } as const;
  expect(renderTrades({ v: 1, trades: [trade] }, 200)[1]).toBe(
    'long  2024-01-02 00:00  2024-01-06 00:00     4  0.123457      42000.5    43000.25  −12.35  stop',
  );
  expect(renderTrades({ v: 1, trades: [] }, 80)).toEqual(['no trades']);
});

describe('progress', () => {
  test('at 80 columns', () => {
    expect(renderProgress(progress, 80, noPaint)).toEqual([
      'job j-7f3a  strategies.json  4,000 backtests  2 peers, 22 slots  (Ctrl-C detach…',
      ' ━━━━━━━━━━━━━━━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌  61%  2,437/4,000  88.0/s  eta 18 s  3 failed',
      '   studio 12/12 42%   mbp-m3 9/10 58%',
      '   copying data bbbbbbbb to air  40%',
      '   best  ema-cross fast=8 slow=50 (s2328)  Sharpe 2.31  return +140%  max DD −1…',
    ]);
  });

  test('as a dated line for a log', () => {
    expect(renderProgressLine(progress, new Date(nowMs))).toBe(
      '2026-01-05T10:32:29Z j-7f3a 61% 2,437/4,000 88.0/s 3 failed',
    );
  });

  test('on a terminal is drawn over itself, at most ten times a second, and leaves nothing', () => {
    const { terminal, written } = fakeTerminal(true);
    let clockMs = 1000;
    const view = openProgress(terminal, { nowMs: () => clockMs });
    view.show(progress);
    view.show(progress);
    clockMs += 100;
    view.show(progress);
    view.clear();
    expect(written).toHaveLength(3);
    expect(written[0]?.startsWith('\x1b')).toBe(false);
    expect(written[1]?.startsWith('\r\x1b[5A\x1b[0J')).toBe(true);
    expect(written[2]).toBe('\r\x1b[5A\x1b[0J');
  });

  test('off a terminal is a line per tenth or half minute, without escapes', () => {
    const { terminal, written } = fakeTerminal(false);
    let clockMs = 0;
    const view = openProgress(terminal, { nowMs: () => clockMs });
    for (const done of [0, 1, 400, 401]) view.show({ ...progress, done, failed: 0 });
    clockMs = 30_000;
    view.show({ ...progress, done: 402, failed: 0 });
    view.clear();
    expect(written.map((line) => line.split(' ')[3])).toEqual([
      '0/4,000',
      '400/4,000',
      '402/4,000',
    ]);
    expect(written.join('')).not.toContain('\x1b');
  });
});

describe('tables', () => {
  test('align, and cut with a mark', () => {
    const columns = [
      { title: 'A', align: 'left' },
      { title: 'NUM', align: 'right' },
    ] as const;
    expect(renderTable(columns, [['xyz', '1']], 80)).toEqual(['A    NUM', 'xyz    1']);
    expect(cutToWidth('abcdef', 4)).toBe('abc…');
    expect(cutToWidth('\x1b[1mab\x1b[22m', 2)).toBe('\x1b[1mab\x1b[22m');
  });

  test('bars grow by eighths', () => {
    expect([0, 0.03, 0.5, 1, 7].map((share) => renderBar(share, 4))).toEqual([
      '    ',
      '▏   ',
      '██  ',
      '████',
      '████',
    ]);
  });

  test('TSV keeps its columns whatever a name contains', () => {
    expect(
      renderTsv(
        ['a', 'b'],
        [
          ['x\ty\n', 1.5],
          ['', null],
        ],
      ),
    ).toBe('a\tb\nx y \t1.5\n\t');
  });

  test('never pass on what a terminal would obey', () => {
    const evil = { ...peersView(), peers: [peerView({ name: '\x1b]0;pwned\x07x' })] };
    expect(renderPeers(evil, 120, noPaint)[1]).toContain('?]0;pwned?x');
  });
});

test('an error says what, where and what next', () => {
  const error = new MeshError('UNREACHABLE', 'nobody there\nport 7420', { hint: 'mesh status' });
  expect(renderError(error, noPaint)).toEqual([
    'error: nobody there',
    '  port 7420',
    'try: mesh status',
  ]);
});

function fakeTerminal(isTty: boolean): { terminal: Terminal; written: string[] } {
  const written: string[] = [];
  const write = (text: string): void => void written.push(text);
  return { terminal: { isTty, columns: 80, paint: noPaint, write, line: write }, written };
}
