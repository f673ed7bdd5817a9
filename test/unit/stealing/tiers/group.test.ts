// A core whose peer is a group: its slots are others, who run what was handed to them.
import { describe, expect, test } from 'vitest';
import { StealingCore } from '../../../../src/stealing/core.ts';
import { jobId, peerId } from '../../../../src/stealing/ids.ts';
import type { Input } from '../../../../src/stealing/input.ts';
import { DEFAULT_LIMITS } from '../../../../src/stealing/limits.ts';
import { HandedWindow } from '../../../../src/stealing/tiers/handed-window.ts';
import { beat, equalWork, face, header } from '../rig.ts';

/** Messages of a group of ten slots that has handed all tasks of 1 ms down, when another group tells of much work. */
function saidWith(tasks: number): string[] {
  const window = new HandedWindow();
  const core = new StealingCore({
    face: face('group-1', 10),
    seed: 1,
    cursor: window,
    // As a group looks ahead (tiers/tiered-core.ts).
    limits: { ...DEFAULT_LIMITS, microBatchMs: 200 },
    isGroup: true,
  });
  const tell = (input: Input) => core.handle(input, 1_000);
  tell({ kind: 'peerConnected', face: face('group-2', 10) });
  tell({ kind: 'jobSubmitted', header: header('j', tasks, 'x'), cached: [] });
  tell({ kind: 'persisted', id: 1 });
  tell({ kind: 'jobLoaded', job: jobId('j'), work: equalWork(tasks) });
  while (window.take(tasks).length > 0) tell({ kind: 'windowDry' });
  const message = beat({ slots: 10, backlogMs: 5_000 });
  const from = peerId('group-2');
  return tell({ kind: 'messageReceived', from, incarnation: 1, message }).flatMap((output) =>
    output.kind === 'send' ? [output.message.kind] : [],
  );
}

describe('a group that has handed all down', () => {
  test('asks nobody for more while that lasts, however empty its own queue is', () => {
    expect(saidWith(20_000)).not.toContain('stealRequest');
  });

  test('asks before it is through', () => {
    expect(saidWith(2_000)).toContain('stealRequest');
  });
});
