// When a polite node rests, and what the systems say about battery and user.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Politeness, type Surroundings } from '../../../src/node/service/politeness.ts';
import { lookAround, lookAtBattery } from '../../../src/node/service/surroundings.ts';

const MIN = 60_000;

function story(...facts: readonly (readonly [atMin: number, facts: Surroundings])[]) {
  const politeness = new Politeness();
  return facts.map(([atMin, fact]) => politeness.decide(fact, atMin * MIN));
}

describe('a polite node', () => {
  test('works on mains while nobody is there, and where nothing is known', () => {
    expect(story([0, { isOnBattery: false, idleMs: 2 * MIN }])).toEqual([undefined]);
    expect(story([0, { isOnBattery: undefined, idleMs: undefined }])).toEqual([undefined]);
  });

  test('rests at once for a user, and goes on after five quiet minutes, not after one', () => {
    expect(
      story(
        [0, { isOnBattery: false, idleMs: 9 * MIN }],
        [1, { isOnBattery: false, idleMs: 0 }],
        [3, { isOnBattery: false, idleMs: 2 * MIN }],
        [6, { isOnBattery: false, idleMs: 5 * MIN }],
        [7, { isOnBattery: false, idleMs: 2 * MIN }],
      ),
    ).toEqual([undefined, 'user', 'user', undefined, undefined]);
  });

  test('rests at once on battery, and goes on after a minute on mains', () => {
    const quiet = 9 * MIN;
    expect(
      story(
        [0, { isOnBattery: true, idleMs: quiet }],
        [1, { isOnBattery: false, idleMs: quiet }],
        [1.5, { isOnBattery: true, idleMs: quiet }],
        [2, { isOnBattery: false, idleMs: quiet }],
        [2.9, { isOnBattery: false, idleMs: quiet }],
        [3, { isOnBattery: false, idleMs: quiet }],
      ),
    ).toEqual(['battery', 'battery', 'battery', 'battery', 'battery', undefined]);
  });
});

describe('the system', () => {
  let place: string;
  let path: string | undefined;

  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'mesh-polite-'));
    path = process.env['PATH'];
    process.env['PATH'] = `${place}:${path ?? ''}`;
  });

  afterEach(() => {
    process.env['PATH'] = path;
    rmSync(place, { recursive: true, force: true });
  });

  function stub(program: string, answer: string): void {
    writeFileSync(
      join(place, program),
      `#!/bin/sh\nprintf '%s\\n' '${answer.replaceAll("'", "'\\''")}'\n`,
    );
    chmodSync(join(place, program), 0o755);
  }

  function supply(name: string, files: Readonly<Record<string, string>>): void {
    mkdirSync(join(place, 'supplies', name), { recursive: true });
    for (const [file, text] of Object.entries(files)) {
      writeFileSync(join(place, 'supplies', name, file), `${text}\n`);
    }
  }

  function look(): Promise<Surroundings> {
    return lookAround('linux', join(place, 'supplies'));
  }

  test.each([
    ["Now drawing from 'Battery Power'\n -InternalBattery-0 81%", true],
    ["Now drawing from 'AC Power'", false],
    ['nothing that we know', undefined],
  ])('of a Mac says where the power comes from: %j', async (text, expected) => {
    stub('pmset', text);
    stub('ioreg', '    | "HIDIdleTime" = 90000000000');
    expect(await lookAround('darwin')).toEqual({ isOnBattery: expected, idleMs: 90_000 });
  });

  test.each([
    [
      " Now drawing from 'Battery Power'\n -InternalBattery-0 (id=1)\t42%; discharging; 2:10",
      true,
      42,
    ],
    ["Now drawing from 'AC Power'\n -InternalBattery-0 (id=1)\t100%; charged", false, 100],
    ["Now drawing from 'AC Power'", false, undefined],
    ['nothing that we know', undefined, undefined],
  ])('of a Mac says how full its battery is: %j', async (text, isOnBattery, batteryPercent) => {
    stub('pmset', text);
    expect(await lookAtBattery('darwin')).toEqual({ isOnBattery, batteryPercent });
  });

  test('of Linux has batteries: their mean, and no mouse’s', async () => {
    expect(await lookAtBattery('linux', join(place, 'supplies'))).toEqual({
      isOnBattery: undefined,
      batteryPercent: undefined,
    });
    supply('BAT0', { type: 'Battery', capacity: '30' });
    supply('BAT1', { type: 'Battery', capacity: '60' });
    supply('mouse', { type: 'Battery', scope: 'Device', capacity: '99' });
    supply('AC', { type: 'Mains', online: '0' });
    expect(await lookAtBattery('linux', join(place, 'supplies'))).toEqual({
      isOnBattery: true,
      batteryPercent: 45,
    });
    supply('AC', { type: 'Mains', online: '1' });
    expect(await lookAtBattery('linux', join(place, 'supplies'))).toEqual({
      isOnBattery: false,
      batteryPercent: 45,
    });
  });

  test('of Linux has supplies, and a seat that idles or not', async () => {
    stub('loginctl', 'IdleHint=no\nIdleSinceHint=0');
    expect(await look()).toEqual({ isOnBattery: undefined, idleMs: 0 });
    supply('BAT0', { type: 'Battery' });
    expect(await look()).toMatchObject({ isOnBattery: true });
    supply('AC', { type: 'Mains', online: '1' });
    expect(await look()).toMatchObject({ isOnBattery: false });
    stub('loginctl', `IdleHint=yes\nIdleSinceHint=${(Date.now() - 90_000) * 1000}`);
    expect((await look()).idleMs).toBeGreaterThan(89_000);
  });
});
