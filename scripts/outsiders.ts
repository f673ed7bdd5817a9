// Many strangers at the door of one peer on loopback (Linux: every address of 127/8 is there). Prints how many were
// let in; that has to be none.
//
//   node scripts/outsiders.ts [--attempts 10000]
import { parseArgs } from 'node:util';
import { besiege } from '../test/fuzz/outsiders.ts';
import { Playground } from '../test/unit/net/test-peer.ts';

const { values } = parseArgs({ options: { attempts: { type: 'string', default: '10000' } } });
const ground = await Playground.open();
const victim = await ground.peer({ home: await ground.home(), ip: '127.0.0.2' });
const rssBefore = process.memoryUsage().rss;
const siege = await besiege(victim, Number(values.attempts));
const growthMib = (process.memoryUsage().rss - rssBefore) / 2 ** 20;
process.stdout.write(
  `${siege.attempts} attempts, ${siege.refused} refused, ${siege.letIn} in, RSS + ${growthMib.toFixed(0)} MiB\n`,
);
await ground.close();
process.exit(siege.letIn === 0 ? 0 : 1);
