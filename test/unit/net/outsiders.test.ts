// A short siege; `node scripts/outsiders.ts` makes ten thousand attempts.
import { expect, test } from 'vitest';
import { besiege } from '../../fuzz/outsiders.ts';
import { Playground } from './test-peer.ts';

test('of ninety strangers with all kinds of claims none is let in', async () => {
  const ground = await Playground.open();
  try {
    const victim = await ground.peer({ home: await ground.home(), ip: '127.0.0.2' });
    expect(await besiege(victim, 90)).toEqual({ attempts: 90, refused: 90, letIn: 0 });
    expect(victim.admission.key.used).toBe(false);
  } finally {
    await ground.close();
  }
}, 30_000);
