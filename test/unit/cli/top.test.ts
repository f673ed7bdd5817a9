// mesh top without a terminal: lines for every size, keys to states, and bytes for changed lines only.
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { changes, Screen } from '../../../src/node/cli/output/screen.ts';
import { renderTopScreen, sparkline } from '../../../src/node/cli/output/top-screen.ts';
import { noPaint, type Paint } from '../../../src/node/cli/output/terminal.ts';
import { FIRST_STATE, press, topRows, type TopState } from '../../../src/node/cli/top-state.ts';
import { jobView, peersView, peerView, snapshot } from '../control/fake-peer.ts';

const colour: Paint = (_style, text) => `\x1b[1m${text}\x1b[22m`;

function keys(from: TopState, ...pressed: readonly string[]): ReturnType<typeof press> {
  return pressed.reduce<ReturnType<typeof press>>(
    ({ state }, key) => press(state, key, snapshot()),
    { state: from },
  );
}

describe('the screen', () => {
  test.each([
    [40, 10],
    [80, 24],
    [200, 60],
    [20, 3],
  ])('fits %d x %d on every page', (columns, rows) => {
    for (const page of ['main', 'help', 'details', 'best'] as const) {
      const state = { ...FIRST_STATE, page, selected: 'j-7f3a', remark: 'x'.repeat(300) };
      const lines = renderTopScreen({ snapshot: snapshot(), state }, { columns, rows }, colour);
      expect(lines.length).toBeLessThanOrEqual(rows);
      for (const line of lines) {
        expect(stripVTControlCharacters(line).length).toBeLessThanOrEqual(columns);
      }
    }
  });

  test('lets no name of a peer move the cursor', () => {
    const evil = snapshot({
      jobs: { v: 1, jobs: [jobView({ name: '\x1b[2Jgone', owner: '\x1b[H' })] },
      steals: [{ at: '', thief: '\x1b]0;x\x07', victim: '\x1b[1m', tasks: 1, refused: null }],
    });
    for (const page of ['main', 'details'] as const) {
      const state = { ...FIRST_STATE, page, selected: 'j-7f3a' };
      const lines = renderTopScreen({ snapshot: evil, state }, { columns: 120, rows: 24 }, noPaint);
      expect(lines.join('')).not.toContain('\x1b');
    }
  });

  test('draws load as blocks, the newest last', () => {
    expect(sparkline([0, 0.5, 1], 30)).toBe('▁▄█');
    expect(sparkline([0, 0.5, 1], 2)).toBe('▄█');
    expect(sparkline([0, 0.5, 1], 0)).toBe('');
  });
});

describe('bytes to the terminal', () => {
  test('are those of changed lines only', () => {
    expect(changes(['a', 'b', 'c'], ['a', 'B', 'c'])).toBe('\x1b[2;1HB\x1b[0m\x1b[K');
    expect(changes(['a', 'b'], ['a', 'b'])).toBe('');
    expect(changes(['a', 'b'], ['a'])).toBe('\x1b[2;1H\x1b[J');
  });

  test('are none when nothing changed, and one write when something did', () => {
    const written: string[] = [];
    const screen = new Screen((text) => written.push(text));
    screen.draw(['before it is open']);
    screen.open();
    screen.draw(['a', 'b']);
    screen.draw(['a', 'b']);
    screen.draw(['a', 'c']);
    screen.close();
    screen.draw(['after']);
    expect(written.length).toBe(4);
    expect(written[2]).toBe('\x1b[?2026h\x1b[2;1Hc\x1b[0m\x1b[K\x1b[?2026l');
    expect(written[3]).toContain('\x1b[?1049l');
  });
});

describe('the keys', () => {
  test('quit from every page', () => {
    for (const page of ['main', 'help', 'details', 'best'] as const) {
      expect(keys({ ...FIRST_STATE, page }, 'q').action).toEqual({ kind: 'quit' });
    }
    expect(keys({ ...FIRST_STATE, isTyping: true }, 'ctrl-c').action).toEqual({ kind: 'quit' });
    expect(press(FIRST_STATE, 'q', undefined).action).toEqual({ kind: 'quit' });
  });

  test('walk through jobs and peers and stop at the ends', () => {
    const rows = topRows(FIRST_STATE, snapshot());
    expect(rows.map(({ kind }) => kind)).toEqual(['job', 'peer', 'peer']);
    expect(keys(FIRST_STATE, 'down').state.selected).toBe('j-7f3a');
    const last = keys(FIRST_STATE, 'down', 'down', 'down', 'down', 'down').state.selected;
    expect(last).toBe('12D3KooWstudio');
    expect(keys(FIRST_STATE, 'up', 'up', 'up', 'up').state.selected).toBe('j-7f3a');
  });

  test('cancel only what runs, and only after a y', () => {
    const asked = keys(FIRST_STATE, 'c');
    expect(asked.action).toBeUndefined();
    expect(asked.state.asking).toMatchObject({ kind: 'cancel', target: 'j-7f3a' });
    expect(keys(asked.state, 'y').action).toMatchObject({ kind: 'cancel', target: 'j-7f3a' });
    expect(keys(asked.state, 'return').action).toBeUndefined();
    const over = snapshot({ jobs: { v: 1, jobs: [jobView({ state: 'done' })] } });
    const { state } = press({ ...FIRST_STATE, selected: 'j-7f3a' }, 'c', over);
    expect(state).toMatchObject({ asking: undefined, remark: 'j-7f3a has ended' });
  });

  test('drain the selected peer after a y, and take a draining one back', () => {
    expect(keys(FIRST_STATE, 'd').state.remark).toBe('select a peer first (↑ ↓)');
    const asked = keys({ ...FIRST_STATE, selected: '12D3KooWmbp' }, 'd', 'y');
    expect(asked.action).toMatchObject({ kind: 'drain', target: '12D3KooWmbp' });
    const draining = { ...peersView(), peers: [peerView({ state: 'draining' })] };
    const seen = snapshot({ peers: draining });
    const { state } = press({ ...FIRST_STATE, selected: '12D3KooWstudio' }, 'd', seen);
    expect(state.asking).toMatchObject({ kind: 'undrain' });
  });

  test('typed after / are a filter, q among them', () => {
    const { state, action } = keys(FIRST_STATE, '/', 's', 'q', 'backspace', 't', 'return');
    expect(action).toBeUndefined();
    expect(state).toMatchObject({ filter: 'st', isTyping: false });
    expect(topRows(state, snapshot()).map(({ kind }) => kind)).toEqual(['job', 'peer']);
    expect(keys(state, 'escape').state.filter).toBe('');
  });
});
