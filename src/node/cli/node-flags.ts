// Flags of a node that stays: the same for the one that `join` starts and the one that the service starts.
import type { Command } from 'commander';
import { collect } from './verb-words.ts';

export function declareNodeFlags(command: Command, polite: string): Command {
  return command
    .option('--peer <address>', 'any machine of the mesh: IP, host:port; repeatable', collect)
    .option('--name <name>', 'what people call this machine (default: its host name)')
    .option('--slots <n>', 'backtests at a time (default: all cores)')
    .option(
      '--memory <size>',
      'for candles and what is computed of them, such as 2G (default: a quarter of the machine’s, 4G at most)',
    )
    .option(
      '--listen <ip[:port]>',
      'the address that the others use (default: the tailnet address)',
    )
    .option('--port <port>', 'where to listen (default: 7420)')
    .option('--keep <age,size>', 'ended jobs stay for so long (default: 30d,20GB)')
    .option(
      '--allow-net <cidr>',
      'a network beside the tailnet whose machines may connect',
      collect,
    )
    .option('--polite', polite)
    .option('--awake', 'keep this machine awake while a job runs, on battery too')
    .option('--no-work', 'submit and look only: compute nothing until mesh undrain')
    .option('--wait <duration>', 'how long to wait for a peer', '15s');
}
