// The member list: what is learned, what is believed, what survives on disk.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Members } from '../../../src/node/net/members.ts';
import type { MemberNews } from '../../../src/node/wire/hello.ts';
import { MEMBERS_MAX } from '../../../src/node/wire/hello.ts';
import type { PeerId } from '../../../src/stealing/ids.ts';
import { Playground } from './test-peer.ts';

const SELF = 'self' as PeerId;
const MINI = 'mini-id' as PeerId;

let ground: Playground;
let path: string;

beforeEach(async () => {
  ground = await Playground.open();
  path = join(await ground.home(), 'members.json');
});

afterEach(() => ground.close());

function open(): Promise<Members> {
  return Members.open(path, SELF, (error) => {
    throw error;
  });
}

function news(id: string, more: Partial<MemberNews> = {}): MemberNews {
  const addrs = ['100.64.0.9:7420'];
  return { id: id as PeerId, name: id, addrs, lastSeenMs: 1000, incarnation: undefined, ...more };
}

describe('news of members', () => {
  test('a new member is worth dialling, a known one only when the teller is connected with it', async () => {
    const members = await open();
    expect(members.learn([news('a')], false)).toHaveLength(1);
    expect(members.learn([news('a')], false)).toHaveLength(0);
    expect(members.learn([news('a', { incarnation: 3 })], false)).toHaveLength(1);
  });

  test('who is connected with it knows its address; an old list does not', async () => {
    const members = await open();
    members.met(MINI, 'mini', ['100.64.0.1:1']);
    members.learn([news(MINI, { addrs: ['100.64.0.2:2'] })], false);
    expect(members.get(MINI)?.addrs).toEqual(['100.64.0.1:1', '100.64.0.2:2']);
    members.learn([news(MINI, { addrs: ['100.64.0.3:3'], incarnation: 1 })], false);
    expect(members.get(MINI)?.addrs[0]).toBe('100.64.0.3:3');
  });

  test('loopback addresses of another machine, nonsense, and ourselves are not learned', async () => {
    const members = await open();
    const loopback = news('a', { addrs: ['127.0.0.1:7420'] });
    expect(
      members.learn([loopback, news('b', { addrs: ['nonsense'] }), news(SELF)], false),
    ).toEqual([]);
    expect(members.list()).toEqual([]);
    expect(members.learn([loopback], true)).toHaveLength(1);
  });

  test('no teller can make the list grow without end', async () => {
    const members = await open();
    const many = Array.from({ length: MEMBERS_MAX + 50 }, (_, i) => news(`peer-${i}`));
    members.learn(many, false);
    expect(members.list()).toHaveLength(MEMBERS_MAX);
  });

  test('a clock of another machine is not believed beyond now', async () => {
    const members = await open();
    members.learn([news('a', { lastSeenMs: 1e300 }), news('b', { lastSeenMs: -1e300 })], false);
    expect(Date.parse(members.list()[0]!.lastSeen)).toBeLessThanOrEqual(Date.now());
    expect(members.list()[1]!.lastSeen).toBe('1970-01-01T00:00:00.000Z');
  });
});

describe('the file', () => {
  test('brings back who was met and who was forgotten', async () => {
    const members = await open();
    members.met(MINI, 'mini', ['100.64.0.1:1']);
    members.met('gone' as PeerId, 'gone', ['100.64.0.2:1']);
    expect(members.forget('gone' as PeerId)).toBe(true);
    await members.flush();
    const again = await open();
    expect(again.list().map(({ id }) => id)).toEqual([MINI]);
    expect(again.named('mini')?.addrs).toEqual(['100.64.0.1:1']);
    expect(again.isForgotten('gone' as PeerId)).toBe(true);
    expect(again.learn([news('gone')], false)).toEqual([]);
    expect(again.forget(SELF)).toBe(false);
  });

  test.each([
    '',
    '{',
    '[]',
    '{"v":2,"members":[],"forgotten":[]}',
    '{"v":1,"members":[{"id":5}],"forgotten":[]}',
  ])('that holds %j is as good as none', async (content) => {
    await writeFile(path, content);
    const members = await open();
    expect(members.list()).toEqual([]);
    members.met(MINI, 'mini', ['100.64.0.1:1']);
    await members.flush();
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ v: 1 });
  });
});
