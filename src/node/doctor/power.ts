// When this machine sleeps or slows down: what pmset says on a Mac. `pmset -g custom` prints a section per source of
// power ("AC Power:", "Battery Power:") with one setting a line; sleep is in minutes, 0 is never.
import { type Finding, ok, warning } from './finding.ts';
import type { System } from './system.ts';

interface PowerSettings {
  /** Minutes until the machine sleeps by itself; 0: never; undefined: not said. */
  readonly sleepMinutes: number | undefined;
  readonly isLowPower: boolean;
}

interface PowerReport {
  readonly mains: PowerSettings | undefined;
  readonly battery: PowerSettings | undefined;
}

function readPmset(text: string): PowerReport {
  const sections = new Map<string, Map<string, number>>();
  let section: Map<string, number> | undefined;
  for (const line of text.split('\n')) {
    const title = /^(\S.*):\s*$/.exec(line)?.[1];
    if (title !== undefined) {
      section = new Map();
      sections.set(title, section);
      continue;
    }
    const [, name, digits] = /^\s+(\w[\w ]*?)\s+(\d+)\b/.exec(line) ?? [];
    if (name !== undefined) section?.set(name, Number(digits));
  }
  return {
    mains: settingsOf(sections.get('AC Power')),
    battery: settingsOf(sections.get('Battery Power')),
  };
}

function settingsOf(section: ReadonlyMap<string, number> | undefined): PowerSettings | undefined {
  if (section === undefined) return undefined;
  const isLowPower = (section.get('lowpowermode') ?? 0) === 1;
  return { sleepMinutes: section.get('sleep'), isLowPower };
}

export async function checkPower(system: System): Promise<readonly Finding[]> {
  if (system.platform !== 'darwin') return [];
  const text = await system.run('pmset', ['-g', 'custom']);
  if (text === undefined) return [];
  const { mains, battery } = readPmset(text);
  return [...sleepOf(mains, 'c', 'on mains'), ...sleepOf(battery, 'b', 'on battery')];
}

function sleepOf(
  settings: PowerSettings | undefined,
  flag: 'b' | 'c',
  when: string,
): readonly Finding[] {
  if (settings === undefined) return [];
  const { sleepMinutes = 0, isLowPower } = settings;
  const id = flag === 'c' ? 'sleep-mains' : 'sleep-battery';
  return [
    sleepMinutes === 0
      ? ok(id, `this Mac does not sleep by itself ${when}`)
      : warning(
          id,
          flag === 'c'
            ? `this Mac sleeps after ${sleepMinutes} min ${when} without a job, and the next job does not find it`
            : `this Mac sleeps after ${sleepMinutes} min ${when}, and its backtests wait`,
          `${flag === 'b' ? 'mesh join --awake, or: ' : ''}sudo pmset -${flag} sleep 0`,
          ['sudo', 'pmset', `-${flag}`, 'sleep', '0'],
        ),
    ...(isLowPower
      ? [
          warning(
            `low-power-${when.replace('on ', '')}`,
            `Low Power Mode is on ${when}: every backtest is slower`,
            `sudo pmset -${flag} lowpowermode 0`,
            ['sudo', 'pmset', `-${flag}`, 'lowpowermode', '0'],
          ),
        ]
      : []),
  ];
}
