// The verbs that look after a machine: its log, its health, its service.
import type { Command } from 'commander';
import type { BenchFlags } from './bench.ts';
import type { DoctorFlags } from './doctor.ts';
import type { LogsFlags } from './logs.ts';
import type { ServiceFlags } from './service.ts';
import { declareNodeFlags } from './node-flags.ts';
import { examples } from './verb-words.ts';
import type { Run } from './verbs.ts';

export function declareUpkeep(program: Command, run: Run): void {
  program
    .command('logs')
    .description('what nodes wrote down, here or on other peers')
    .option('-f, --follow', 'go on with what comes')
    .option('--peer <peer>', 'of another peer: its name, address or id')
    .option('--all', 'of every peer, by time')
    .option('--job <job>', 'only about this job: id, id prefix, name or last')
    .option('--task <i>', 'only about this task')
    .option('--since <duration>', 'only of the last 10m, 1h30m')
    .option('--level <level>', 'this level and worse: debug, info, warn, error')
    .option('--path', 'print where the log of this machine lies')
    .addHelpText(
      'before',
      examples(
        'mesh logs -f',
        'mesh logs --all --since 10m --level warn',
        'mesh logs --job j-7f3a',
      ),
    )
    .action((flags: LogsFlags) =>
      run(async (context) => (await import('./logs.ts')).logs(context, flags)),
    );
  program
    .command('doctor')
    .description('what is wrong here, and what mends it')
    .option('--peer <peer>', 'only what concerns this one: its name, address or id')
    .option('--fix', 'run the commands that mend, each after a question')
    .option('--yes', 'with --fix: without questions')
    .addHelpText(
      'before',
      examples(
        'mesh doctor',
        'mesh doctor --fix',
        'mesh doctor --peer studio',
        'mesh doctor --json',
      ),
    )
    .action((flags: DoctorFlags) =>
      run(async (context) => (await import('./doctor.ts')).doctor(context, flags)),
    );
  program
    .command('bench')
    .description('how fast this machine, or the whole mesh, is')
    .option('--mesh', "the whole mesh, in an older cluster's two tests")
    .option('--seconds <n>', 'how long each part is measured', '3')
    .addHelpText('before', examples('mesh bench', 'mesh bench --mesh'))
    .action((flags: BenchFlags) =>
      run(async (context) => (await import('./bench.ts')).bench(context, flags)),
    );
  declareNodeFlags(
    program
      .command('service')
      .description('start the node with this machine')
      .argument('<action>', 'install, uninstall, start, stop, restart or status'),
    'yield to everything else; rest while somebody works here, and on battery',
  )
    .addHelpText(
      'before',
      examples(
        'mesh service install --peer 100.77.179.14',
        'mesh service status',
        'mesh service uninstall',
      ),
    )
    .action((action: string, flags: ServiceFlags) =>
      run(async (context) => (await import('./service.ts')).service(context, action, flags)),
    );
}
