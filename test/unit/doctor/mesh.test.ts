// What the doctor makes of the mesh that a node sees, and how it looks on a screen.
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { renderFindings } from '../../../src/node/cli/output/doctor-screen.ts';
import { noPaint } from '../../../src/node/cli/output/terminal.ts';
import { isHealthy } from '../../../src/node/doctor/doctor.ts';
import { failure, type Finding, ok, warning } from '../../../src/node/doctor/finding.ts';
import { checkMesh, isLocalNetwork, type MeshReport } from '../../../src/node/doctor/mesh.ts';
import type { PeerView } from '../../../src/node/control/api.ts';
import { peersView, peerView, statusView } from '../control/fake-peer.ts';

function report(other: Partial<PeerView>, change: Partial<MeshReport> = {}): MeshReport {
  const self = peerView();
  const peer = peerView({
    id: '12D3KooWair',
    name: 'air',
    addr: '100.1.1.2',
    path: 'direct',
    ...other,
  });
  return {
    status: statusView(),
    peers: { ...peersView(), peers: [self, peer] },
    answerMs: 3,
    clocks: new Map([['12D3KooWair', 80]]),
    dials: new Map(),
    ...change,
  };
}

function badOf(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ level }) => level !== 'ok');
}

test('a healthy mesh has nothing to mend', () => {
  const findings = checkMesh(report({}), 'darwin');
  expect(badOf(findings)).toEqual([]);
  expect(findings.map(({ text }) => text)).toEqual([
    'node running (pid 4242), answers in 3 ms',
    '1 of 1 peer reachable',
    'all run mesh 0.1.0',
    'clocks within 80 ms',
  ]);
});

describe('a peer that cannot be reached', () => {
  test.each([
    ['ECONNREFUSED', 'darwin', 'warning peer', 'mesh does not run there'],
    ['ETIMEDOUT', 'darwin', 'warning peer', 'asleep, off or cut off'],
    ['open', 'darwin', 'warning peer', 'does not talk to this peer'],
    ['EHOSTUNREACH', 'linux', 'warning peer', 'asleep, off or cut off'],
    ['EHOSTUNREACH', 'darwin', 'failure local-network', 'macOS keeps background programs off'],
  ] as const)('with %s on %s is a %s', (word, platform, expected, text) => {
    const dials = new Map([['12D3KooWair', word]]);
    const ill = report({ state: 'lost', addr: '192.168.1.40' }, { dials });
    const [head, found] = badOf(checkMesh(ill, platform));
    expect(head?.text).toBe('0 of 1 peer reachable');
    expect(`${found?.level} ${found?.id}`).toBe(expected);
    expect(found?.text).toContain(text);
  });

  test('has the rule of local networks only where it holds', () => {
    for (const addr of ['192.168.1.40', '10.0.0.1', '172.16.0.1', '172.31.0.1', '169.254.1.1']) {
      expect(isLocalNetwork(addr)).toBe(true);
    }
    for (const addr of ['100.77.179.14', '172.32.0.1', '8.8.8.8', 'fe8::1']) {
      expect(isLocalNetwork(addr)).toBe(false);
    }
  });
});

test.each([
  ['versions', report({ version: '0.0.9' })],
  ['relay', report({ path: 'relay', rttMs: 48 })],
  ['kernels', report({ kernels: ['backtest@1.0.0+000000000000'] })],
  ['clocks', report({}, { clocks: new Map([['12D3KooWair', -9000]]) })],
  ['node', report({}, { answerMs: 900 })],
])('a warning about %s names what mends it', (id, seen) => {
  expect(badOf(checkMesh(seen, 'linux'))).toMatchObject([
    { id, level: 'warning', fix: expect.stringMatching(/\S/) },
  ]);
});

test('two machines of one name are told by the ends of their ids', () => {
  const twins = [
    peerView({ id: '12D3KooWstudio', name: 'vm-udio' }),
    peerView({ id: '12D3KooWair2', name: 'vm-air2' }),
  ];
  const seen = report({}, { peers: { ...peersView(), peers: twins } });
  expect(badOf(checkMesh(seen, 'linux'))).toMatchObject([
    { id: 'names', text: '2 machines are called vm', fix: 'mesh leave && mesh join --name OTHER' },
  ]);
});

describe('the screen', () => {
  const findings = [
    ok('a', 'Node 24.21.0'),
    ok('b', 'clocks within 80 ms'),
    warning(
      'c',
      'this Mac sleeps after 1 min on battery, and its backtests wait',
      'sudo pmset -b sleep 0',
    ),
    failure(
      'd',
      'the mesh key can be read by other users (0644)',
      "chmod 600 '/Users/me/.mesh/key'",
    ),
  ];

  test('has what is fine side by side, and a cure below each complaint', () => {
    expect(renderFindings(findings, 100, noPaint)).toEqual([
      `${'✓ Node 24.21.0'.padEnd(50)}✓ clocks within 80 ms`,
      '! this Mac sleeps after 1 min on battery, and its backtests wait',
      '    → sudo pmset -b sleep 0',
      '✗ the mesh key can be read by other users (0644)',
      "    → chmod 600 '/Users/me/.mesh/key'",
    ]);
    const long = ok(
      'disk',
      'a sentence that is too long to stand beside another one on this screen',
    );
    expect(renderFindings([long, ...findings.slice(0, 2)], 100, noPaint).slice(0, 2)).toEqual([
      `${'✓ Node 24.21.0'.padEnd(50)}✓ clocks within 80 ms`,
      `✓ ${long.text}`,
    ]);
    expect(renderFindings(findings.slice(0, 2), 40, noPaint).at(-1)).toBe('nothing to mend');
  });

  test.each([40, 80, 200])('fits %d columns', (width) => {
    for (const line of renderFindings(findings, width, (_style, text) => `\x1b[1m${text}\x1b[0m`)) {
      expect(stripVTControlCharacters(line).length).toBeLessThanOrEqual(width);
    }
  });

  test('is bad when something is broken, not when something is worth a look', () => {
    expect(isHealthy(findings.slice(0, 3))).toBe(true);
    expect(isHealthy(findings)).toBe(false);
  });
});
