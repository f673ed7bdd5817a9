// How people name a job, and which one they mean.
import { describe, expect, test } from 'vitest';
import {
  resolveJob,
  resolveJobs,
  resolvePeerView,
  type SelectableJob,
  shownJobId,
  shownJobIds,
} from '../../../src/node/control/selector.ts';

const older = job('j-7f3aq0', 'grid.json', 'done', '2026-01-05T10:00:00.000Z');
const newer = job('j-7f3bzz', 'grid.json', 'running', '2026-01-05T11:00:00.000Z');
const other = job('j-e9d1aa', 'rsi', 'running', '2026-01-05T10:30:00.000Z');
const jobs = [newer, older, other];

function job(
  jobId: string,
  name: string,
  state: SelectableJob['state'],
  submittedAt: string,
): SelectableJob {
  return { jobId, name, state, submittedAt };
}

describe('a selector', () => {
  test.each([
    ['j-7f3a', older.jobId, 'an id prefix'],
    ['7f3a', older.jobId, 'an id prefix without j-'],
    ['E9D', other.jobId, 'three characters in any case'],
    ['j-7f3aq0', older.jobId, 'a whole id'],
    ['last', newer.jobId, 'the newest job'],
    ['grid.json', newer.jobId, 'a name: the newest of that name'],
    ['rsi', other.jobId, 'a name of three letters that is no id'],
  ])('%s means %s (%s)', (selector, expected) => {
    expect(resolveJob(selector, jobs)).toBe(expected);
  });

  test('that fits two ids is refused and shows both', () => {
    expect(() => resolveJob('7f3', jobs)).toThrow('"7f3" fits 2 jobs: j-7f3a, j-7f3b');
  });

  test('of two characters is no id', () => {
    expect(() => resolveJob('e9', jobs)).toThrow('no job "e9"');
  });

  test('last passes over jobs that only look back at another one', () => {
    const aside = {
      ...newer,
      jobId: 'j-aside00',
      submittedAt: '2026-01-06T00:00:00.000Z',
      isAside: true,
    };
    expect(resolveJob('last', [...jobs, aside])).toBe(newer.jobId);
    expect(resolveJob('aside', [...jobs, aside])).toBe(aside.jobId);
  });

  test('on an empty mesh says that there are no jobs', () => {
    expect(() => resolveJob('last', [])).toThrow('no jobs yet');
  });

  test('all means the running jobs, and only where it may', () => {
    expect(resolveJobs('all', jobs)).toEqual([newer.jobId, other.jobId]);
    expect(resolveJobs('all', [older])).toEqual([]);
    expect(() => resolveJob('all', jobs)).toThrow('no job "all"');
  });
});

test('a shown id has four characters, more when another job begins alike', () => {
  const jobIds = jobs.map(({ jobId }) => jobId);
  expect(shownJobId('7f3aq0', jobIds)).toBe('j-7f3a');
  expect(shownJobId('7f3aq0', [...jobIds, '7f3aqz'])).toBe('j-7f3aq0');
  expect(shownJobId('j-e9d1aa', [])).toBe('j-e9d1');
  for (const jobId of jobIds)
    expect(shownJobIds(jobIds).get(jobId)).toBe(shownJobId(jobId, jobIds));
  expect([...shownJobIds(['7f3aq0', '7f3aqz', '7f3b', 'aaaa']).values()]).toEqual([
    'j-7f3aq0',
    'j-7f3aqz',
    'j-7f3b',
    'j-aaaa',
  ]);
});

describe('a peer', () => {
  const studio = peer('12D3KooWaaaa1111', 'studio', '100.1.1.1');
  const air = peer('12D3KooWbbbb2222', 'air', '100.1.1.2');
  const gone = { ...peer('12D3KooWcccc3333', 'air', '100.1.1.3'), state: 'lost' } as const;

  test.each([
    ['studio', studio],
    ['100.1.1.2', air],
    ['100.1.1.2:7420', air],
    ['2222', air],
    ['12D3KooWaa', studio],
    ['air', air],
  ])('is meant by %s', (selector, expected) => {
    expect(resolvePeerView(selector, [studio, air, gone])).toBe(expected);
  });

  test('is named when there is none, or more than one', () => {
    expect(() => resolvePeerView('nope', [studio, air])).toThrow('no peer "nope"');
    expect(() => resolvePeerView('12D3', [studio, air])).toThrow('"12D3" fits 2 peers: aaaa1111');
    expect(() => resolvePeerView('222', [studio, air])).toThrow('no peer');
  });
});

function peer(id: string, name: string, addr: string) {
  return { id, name, addr, port: 7420, state: 'ok' } as const;
}
