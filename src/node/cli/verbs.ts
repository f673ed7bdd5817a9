// The verbs and their flags. Each loads its own file only when it is called: `mesh peers` in a loop must not pay
// for what `submit` needs.
import type { Command } from 'commander';
import type { Context } from './context.ts';
import { declareNodeFlags } from './node-flags.ts';
import { collect, examples } from './verb-words.ts';
import { declareUpkeep } from './upkeep-verbs.ts';
import type { JobsFlags } from './jobs.ts';
import type { JoinFlags } from './join-options.ts';
import type { PeersFlags } from './peers.ts';
import type { ResultsFlags } from './results.ts';
import type { SubmitFlags } from './submit.ts';
import type { FollowFlags } from './watch.ts';

/** Runs a verb with the context of this invocation and keeps its exit status. */
export type Run = (verb: (context: Context) => Promise<number>) => Promise<void>;

const LAST = 'last';

export function declareVerbs(program: Command, run: Run): void {
  declareRunning(program, run);
  declareDemo(program, run);
  declareWatching(program, run);
  declareResults(program, run);
  declareMachine(program, run);
  declareUpkeep(program, run);
  declareSetUp(program, run);
}

function declareRunning(program: Command, run: Run): void {
  program.commandsGroup('Run');
  program
    .command('submit')
    .description('run a file of strategies on every peer')
    .argument('[file]', 'job file, or - for stdin')
    .option('--example', 'print a job file that runs beside aapl.csv of mesh init; submit nothing')
    .option('-d, --detach', 'print the job id and return; the job goes on')
    .option(
      '-n, --dry-run',
      'check the file and say how many tasks, how long, how much memory; run nothing',
    )
    .option('--name <name>', 'name of the job (default: that in the file, or the file name)')
    .option('--data <file>', 'candles, for a file that names none')
    .option('--cash <amount>', 'starting cash, for a file that names none')
    .option('--fee <fraction>', 'fee per side, for a file that names none')
    .option('--part <name>', 'of the split: inSample, train-K or test-K instead of outOfSample')
    .option(
      '-o, --output <file>',
      'write the results to FILE.ndjson, .csv, .json or .parquet at the end',
    )
    .option('--top <n>', 'how many of the best to show', '10')
    .option('--sort <column>', 'by which metric; COLUMN:asc or COLUMN:desc')
    .option('--where <conditions>', "only results like these, e.g. 'trades>30'")
    .option('--order <order>', 'of rows on a pipe: as they are done, or file: by task', 'done')
    .option('--priority <n>', 'from -10 to 10 (default 0): jobs of a higher one run first')
    .option(
      '--weight <n>',
      'its part of the time beside jobs of one priority, 1 to 100 (default 1)',
    )
    .option(
      '--audit <which>',
      'rows to run again elsewhere: all or none (default: 32 of each peer)',
    )
    .option('--only-peer <peer>', 'run it on this peer and no other; repeatable', collect)
    .option('--not-peer <peer>', 'never run it on this peer; repeatable', collect)
    .option('--needs-memory <size>', 'only on machines with so much memory, such as 16G')
    .option('--fresh', 'compute everything, also what earlier jobs computed')
    .option('--task-timeout <duration>', 'a backtest that takes longer has failed (1s at least)')
    .option('--max-fails <n>', 'cancel the job when more than N, or P%, of its backtests fail')
    .option('--cancel-on-interrupt', 'Ctrl-C cancels the job (exit 5) instead of detaching')
    .option(
      '--embed <when>',
      'without a node here, be one until the job ends: auto, never, always',
      'auto',
    )
    .option('--slots <n>', 'slots of such a temporary node (default: all cores)')
    .option(
      '--memory <size>',
      'memory of such a temporary node for candles and what it computes of them',
    )
    .option('--peer <address>', 'reach the mesh through this peer; repeatable', collect)
    .addHelpText(
      'before',
      examples(
        'mesh submit strategies.json',
        'mesh submit grid.json --json | jq .top',
        'mesh submit grid.json -o results.csv',
      ),
    )
    .action((file: string | undefined, flags: SubmitFlags) =>
      run(async (context) => (await import('./submit.ts')).submit(context, file, flags)),
    );
}

function declareDemo(program: Command, run: Run): void {
  program
    .command('demo')
    .description('see a whole mesh at work on this computer')
    .option('--fast', 'at most 15 s, no animation')
    .action((flags: { fast?: boolean }) =>
      run(async (context) => (await import('./demo.ts')).demo(context, flags)),
    );
}

function declareWatching(program: Command, run: Run): void {
  program.commandsGroup('Watch');
  program
    .command('peers')
    .description('who is there and how busy')
    .option('-w, --watch [interval]', 'look again and again (default every 1s)')
    .option('--sort <what>', 'name, rate, share or queue (default: as they came)')
    .option('--wide', 'also id, path, version, measured rate, what each has done, since when')
    .option('--forget <peer>', 'put a machine out for good; the mesh gets a new key')
    .addHelpText(
      'before',
      examples(
        'mesh peers',
        'mesh peers -w',
        'mesh peers --wide --sort rate',
        'mesh peers --json | jq .totals',
      ),
    )
    .action((flags: PeersFlags) =>
      run(async (context) => (await import('./peers.ts')).peers(context, flags)),
    );
  program
    .command('top')
    .description('all of it on one screen, live')
    .option('--interval <duration>', 'between two looks', '200ms')
    .addHelpText('before', examples('mesh top', 'mesh top --interval 1s'))
    .action((flags: { interval: string }) =>
      run(async (context) => (await import('./top.ts')).top(context, flags)),
    );
  program
    .command('jobs')
    .description('what runs and what ran')
    .option('-a, --all', 'also what ended more than a day ago')
    .option('--limit <n>', 'at most n, what runs first (default: 20 on a screen, else all)')
    .option('-w, --watch [interval]', 'look again and again (default every 1s)')
    .addHelpText('before', examples('mesh jobs', 'mesh jobs --all', 'mesh jobs -w'))
    .action((flags: JobsFlags) =>
      run(async (context) => (await import('./jobs.ts')).jobs(context, flags)),
    );
  program
    .command('watch')
    .description('follow a job from any peer, to its end')
    .argument('[job]', 'id, id prefix, name or last', LAST)
    .option(
      '-o, --output <file>',
      'write the results to FILE.ndjson, .csv, .json or .parquet at the end',
    )
    .option('--top <n>', 'how many of the best to show', '10')
    .option('--sort <column>', 'by which metric; COLUMN:asc or COLUMN:desc')
    .option('--where <conditions>', "only results like these, e.g. 'trades>30'")
    .option('--order <order>', 'of rows on a pipe: as they are done, or file: by task', 'done')
    .addHelpText('before', examples('mesh watch', 'mesh watch j-7f3a --json'))
    .action((job: string, flags: FollowFlags) =>
      run(async (context) => (await import('./watch.ts')).watch(context, job, flags)),
    );
}

function declareResults(program: Command, run: Run): void {
  program
    .command('results')
    .description('what a job found, and who found it')
    .argument('[job]', 'id, id prefix, name or last', LAST)
    .option('--efficiency', 'how near it came to what tasks and machines allow')
    .option('--overfit', 'whether the winners may be luck: Deflated Sharpe, chance of overfitting')
    .option('--trials <n>', 'for --overfit: strategies tried in all generations together')
    .option('--by <what>', 'peer: how much each did; strategy, params: what each found')
    .option('--heatmap <x,y>', 'the best result at each pair of values of two variables')
    .option('--top <n>', 'only the best n (default: 20 on a screen, else all)')
    .option('--winners', 'those that pass the filter of the job file, as many as it keeps (100)')
    .option('--sort <column>', 'by which metric; COLUMN:asc or COLUMN:desc')
    .option('--where <conditions>', "only rows like these, e.g. 'trades>30 and maxDrawdown<0.3'")
    .option('--task <i>', 'only this task')
    .option('--trades', 'the trades behind --task, computed on the spot')
    .option('--failed', 'what failed, with its input and the reason')
    .option('-o, --output <file>', 'write to FILE.ndjson, .csv, .json or .parquet')
    .addHelpText(
      'before',
      examples(
        'mesh results',
        "mesh results last --where 'trades>30' --top 5",
        'mesh results j-7f3a --by peer',
        'mesh results j-7f3a --by strategy',
        'mesh results j-7f3a --heatmap fast,slow --sort sharpe',
        'mesh results j-7f3a --task 17 --trades',
      ),
    )
    .action((job: string, flags: ResultsFlags) =>
      run(async (context) => (await import('./results.ts')).results(context, job, flags)),
    );
  program
    .command('explain')
    .description('where a task is, and why it waits')
    .argument('<task>', 'its number, as in results')
    .argument('[job]', 'id, id prefix, name or last', LAST)
    .addHelpText('before', examples('mesh explain 2328', 'mesh explain 17 j-7f3a --json'))
    .action((task: string, job: string) =>
      run(async (context) => (await import('./explain.ts')).explain(context, task, job)),
    );
  program
    .command('cancel')
    .description('end a job; rows that exist stay')
    .argument('<job...>', 'id, id prefix, name, last or all')
    .option('--yes', 'needed for all')
    .action((jobs: string[], flags: { yes?: boolean }) =>
      run(async (context) => (await import('./cancel.ts')).cancel(context, jobs, flags)),
    );
  program
    .command('retry')
    .description('new attempts for the tasks of an ended job that used up theirs')
    .argument('[job]', 'id, id prefix, name or last', 'last')
    .addHelpText('after', examples('mesh retry j-7f3a', 'mesh results j-7f3a --failed'))
    .action((job: string) =>
      run(async (context) => (await import('./retry.ts')).retry(context, job)),
    );
}

function declareMachine(program: Command, run: Run): void {
  program.commandsGroup('This machine');
  declareNodeFlags(
    program.command('join').description('make this machine part of a mesh'),
    'rest while somebody works at this machine, and on battery',
  )
    .option('--invite <word>', 'the word that `mesh invite` printed on a member')
    .option('-F, --foreground', 'be the node instead of starting one')
    .option('--keep-trying', 'stay, and go on dialling, when no peer answers')
    .addOption(program.createOption('--throttle <factor>').hideHelp())
    .addHelpText(
      'before',
      examples('mesh join', 'mesh join --peer 100.77.179.14', 'mesh join --slots 4 --name studio'),
    )
    .action((flags: JoinFlags) =>
      run(async (context) => (await import('./join.ts')).join(context, flags)),
    );
  program
    .command('status')
    .description('this machine, and what to type next')
    .action(() => run(async (context) => (await import('./status.ts')).status(context)));
  program
    .command('drain')
    .description('give the queue to the others and take no work, without leaving')
    .argument('[peer]', 'another machine (default: this one)')
    .addHelpText('before', examples('mesh drain', 'mesh drain studio', 'mesh undrain studio'))
    .action((peer: string | undefined) =>
      run(async (context) => (await import('./drain.ts')).drain(context, peer)),
    );
  program
    .command('undrain')
    .description('take work again')
    .argument('[peer]', 'another machine (default: this one)')
    .action((peer: string | undefined) =>
      run(async (context) => (await import('./drain.ts')).undrain(context, peer)),
    );
  program
    .command('leave')
    .description('give queue and jobs to the others, then stop')
    .action(() => run(async (context) => (await import('./leave.ts')).leave(context)));
  program
    .command('stop')
    .description('stop at once; the others find the work')
    .action(() => run(async (context) => (await import('./leave.ts')).stop(context)));
}

function declareSetUp(program: Command, run: Run): void {
  program.commandsGroup('Set up');
  program
    .command('init')
    .description('a job file that runs, with candles, to begin with')
    .argument('[folder]', 'where to write it', '.')
    .option('--force', 'overwrite what lies there')
    .addHelpText('before', examples('mesh init', 'mesh init my-strategies'))
    .action((folder: string, flags: { force?: boolean }) =>
      run(async (context) => (await import('./init.ts')).init(context, folder, flags)),
    );
  program
    .command('key')
    .description('the secret that proves membership')
    .argument('<action>', 'show, rotate (a new one for all), or require (of every connection)')
    .addHelpText('before', examples('mesh key show', 'mesh key rotate', 'mesh key require'))
    .action((what: string) =>
      run(async (context) => (await import('./key.ts')).key(context, what)),
    );
  program
    .command('invite')
    .description('let one machine in, once')
    .option('--valid <duration>', 'for how long', '1h')
    .addHelpText('before', examples('mesh invite', 'mesh invite --valid 10m'))
    .action((flags: { valid: string }) =>
      run(async (context) => (await import('./invite.ts')).invite(context, flags)),
    );
  program
    .command('approve')
    .description('let the machine in that shows this code')
    .argument('<code>', 'as the refused `mesh join` printed it there')
    .addHelpText('before', examples('mesh approve K7FQX-3RTWM'))
    .action((code: string) =>
      run(async (context) => (await import('./invite.ts')).approve(context, code)),
    );
  declareCompletion(program, run);
  program
    .command('schema')
    .description('the JSON Schema of a job file, or of what commands print')
    .argument(
      '<which>',
      'strategies; config (config.json); peers (mesh peers --json); events (mesh submit on a pipe)',
    )
    .addHelpText(
      'before',
      examples('mesh schema strategies > strategies.schema.json', 'mesh schema peers'),
    )
    .action((which: string) =>
      run(async (context) => (await import('./schema.ts')).schema(context, which)),
    );
}

function declareCompletion(program: Command, run: Run): void {
  program
    .command('completion')
    .description('the script that completes verbs, flags, jobs and peers')
    .argument('<shell>', 'zsh, bash or fish')
    .addHelpText(
      'before',
      examples(
        'source <(mesh completion zsh)',
        'mesh completion fish > ~/.config/fish/completions/mesh.fish',
      ),
    )
    .action((shell: string) =>
      run(async (context) => (await import('./completion.ts')).completion(context, shell)),
    );
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action((words: string[]) =>
      run(async (context) =>
        (await import('./completion.ts')).printCandidates(context, program, words),
      ),
    );
}
