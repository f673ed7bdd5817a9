// Who speaks for a group, through absences, restarts and contradictions.
import { describe, expect, test } from 'vitest';
import { highestRanked, peerId } from '../../../../src/stealing/ids.ts';
import type { Speaks } from '../../../../src/stealing/messages.ts';
import { Speaking } from '../../../../src/stealing/tiers/speaking.ts';

const GROUP = peerId('group-0.0000');
const ALL = ['a', 'b', 'c'].map(peerId);
const first = highestRanked(GROUP, ALL)!;
const [second, third] = ALL.filter((peer) => peer !== first) as [Speaks['peer'], Speaks['peer']];

function speakingAs(self: Speaks['peer']): Speaking {
  return new Speaking({ tier: 0, group: GROUP, selfPeer: self, self, sinceMs: 0, graceMs: 500 });
}

function word(peer: Speaks['peer'], term: number): Speaks {
  return { kind: 'speaks', tier: 0, group: GROUP, peer, term, slots: 8 };
}

function facts(nowMs: number, live = ALL): Parameters<Speaking['look']>[0] {
  return { nowMs, live, peerOf: (member) => member, slots: 8 };
}

describe('who speaks for a group', () => {
  test('the highest ranked says so, once others had the time to say who speaks already', () => {
    const speaking = speakingAs(first);
    expect(speaking.look(facts(499))).toBeUndefined();
    expect(speaking.look(facts(500))).toEqual(word(first, 1));
    expect([speaking.isSelf, speaking.isSettled]).toEqual([true, true]);
    expect(speaking.look(facts(501))).toBeUndefined();
  });

  test('nobody else does, while that one lives', () => {
    expect(speakingAs(second).look(facts(9_000))).toBeUndefined();
  });

  test('whoever speaks goes on when a higher ranked one comes', () => {
    const speaking = speakingAs(first);
    speaking.heard(word(third, 4), 100);
    expect(speaking.look(facts(9_000))).toBeUndefined();
    expect(speaking.current).toEqual(word(third, 4));
  });

  test('when the speaker is gone the next by rank follows, with a term above', () => {
    const left = ALL.filter((peer) => peer !== third);
    const speaking = speakingAs(first);
    speaking.heard(word(third, 4), 100);
    expect(speaking.look(facts(9_000, left))).toEqual(word(first, 5));
  });

  test('the higher term counts, and of one term the higher peer', () => {
    const speaking = speakingAs(first);
    expect(speaking.heard(word(peerId('b'), 2), 0)).toBe(true);
    expect(speaking.heard(word(peerId('a'), 2), 0)).toBe(false);
    expect(speaking.heard(word(peerId('c'), 2), 0)).toBe(true);
    expect(speaking.heard(word(peerId('z'), 1), 0)).toBe(false);
    expect(speaking.heard(word(peerId('a'), 3), 0)).toBe(true);
    expect(speaking.current).toEqual(word(peerId('a'), 3));
  });

  test('a peer that starts anew gives a new word instead of the one of its life before', () => {
    const speaking = speakingAs(second);
    speaking.heard(word(second, 7), 0);
    expect(speaking.isSelf).toBe(false);
    expect(speaking.look(facts(1))).toEqual(word(second, 8));
    expect(speaking.isSelf).toBe(true);
  });

  test('two that do not see each other do not outbid each other with every word', () => {
    const speaking = speakingAs(first);
    const alone = [first];
    speaking.look(facts(500, alone));
    speaking.heard(word(second, 2), 600);
    expect(speaking.look(facts(1_099, alone))).toBeUndefined();
    expect(speaking.look(facts(1_100, alone))).toEqual(word(first, 3));
  });
});
