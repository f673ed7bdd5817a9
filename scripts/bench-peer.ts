// A peer for benches and tests, with the switches that no user should need. Its wish is JSON in the first argument.
import { Daemon, type DaemonOptions } from '../src/node/daemon.ts';

const wish = JSON.parse(process.argv[2] ?? '{}') as Omit<DaemonOptions, 'version'>;
const daemon = await Daemon.start({ ...wish, version: 'bench' });
await daemon.closed;
process.exit(0);
