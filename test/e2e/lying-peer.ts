// A peer whose slots compute and then report another number for every third task: everything else of it is real. A sample
// of 32 rows misses a liar on every tenth in 3 of 100 jobs, which the simulation counts; here it shall be caught.
// Its wish is JSON in the first argument.
import { Daemon, type DaemonOptions } from '../../src/node/daemon.ts';
import type { Input } from '../../src/stealing/input.ts';

const wish = JSON.parse(process.argv[2] ?? '{}') as Omit<DaemonOptions, 'version'>;
const daemon = await Daemon.start({ ...wish, version: 'liar' });
const tell = daemon.tell.bind(daemon);
daemon.tell = (input) => tell(twisted(input));
await daemon.closed;
process.exit(0);

function twisted(fact: Input): Input {
  if (fact.kind !== 'tasksFinished') return fact;
  const tasks = fact.intervals.flatMap(([start, end]) =>
    Array.from({ length: end - start }, (_, i) => start + i),
  );
  const values = fact.values.slice();
  const width = values.length / tasks.length;
  for (const [row, task] of tasks.entries()) {
    if (task % 3 === 0) values[row * width] = values[row * width]! + 1;
  }
  return { ...fact, values };
}
