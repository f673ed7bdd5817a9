// What this project says about macOS and could not try, because it was made on Linux: each statement, the command that
// tries it, and what it should print. On a Mac it runs the commands and compares; elsewhere it prints the list.
// docs/mac.md is this list (`--page` writes it).
//
//   node scripts/mac-check.ts [--page docs/mac.md]
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { platform } from 'node:os';
import { pathToFileURL } from 'node:url';

export interface Statement {
  readonly says: string;
  readonly command: string;
  readonly expected: RegExp;
  /** What to do when it is not so. */
  readonly otherwise: string;
}

export const STATEMENTS: readonly Statement[] = [
  {
    says: 'Every package that a build needs exists for this Mac, without a download at run time',
    command: 'npm ci --no-audit --no-fund && npm run build',
    expected: /./,
    otherwise: 'the lockfile lacks a darwin package',
  },
  {
    says: 'All tests pass that need no Linux network namespaces',
    command: 'npm test',
    expected: /Test Files .* passed/,
    otherwise: 'tests that fail only here name what is different',
  },
  {
    says: 'Four peers on one Mac share by speed, lose one, and agree with a plain loop',
    command: 'npm start -- --fast',
    expected: /results [0-9a-f]{12}…, the same as by the plain loop/,
    otherwise: 'rows differ between arm64 and x64, or timers are coarser',
  },
  {
    says: 'launchd accepts the agent that mesh service install writes',
    command: 'mesh service install && plutil -lint ~/Library/LaunchAgents/dev.mesh.node.plist',
    expected: /dev\.mesh\.node\.plist: OK/,
    otherwise: 'src/node/service/service-files.ts',
  },
  {
    says: 'The agent runs, and as Interactive: macOS does not throttle it',
    command: 'launchctl print gui/$(id -u)/dev.mesh.node',
    expected: /spawn type = interactive/,
    otherwise: 'the key ProcessType of the agent',
  },
  {
    says: 'After mesh leave the agent stays away; after kill -9 it comes back within about 10 s',
    command: 'mesh leave && sleep 15 && mesh service status',
    expected: /not running/,
    otherwise: 'KeepAlive.SuccessfulExit of the agent',
  },
  {
    says: 'A service that was uninstalled is gone from launchd and from the disk',
    command: 'mesh service uninstall && ls ~/Library/LaunchAgents | grep -c dev.mesh || true',
    expected: /^0$/m,
    otherwise: 'bootout in src/node/service/service-manager.ts',
  },
  {
    says: 'pmset says where the power comes from and how full the battery is, in the form that a node reads',
    command: 'pmset -g batt',
    expected: /Now drawing from '(AC|Battery) Power'(?![\s\S]*InternalBattery(?!.*\d%))/,
    otherwise: 'macBattery in src/node/service/surroundings.ts',
  },
  {
    says: 'pmset says when the Mac sleeps, in the form that mesh doctor reads',
    command: 'pmset -g custom',
    expected: /^(AC|Battery) Power:\n(.*\n)*? sleep\s+\d+/m,
    otherwise: 'readPmset in src/node/doctor/power.ts',
  },
  {
    says: 'caffeinate holds off the idle sleep for as long as a process lives, as a node does while a job runs on mains',
    command: '(caffeinate -i -w $$ & sleep 1; pmset -g assertions)',
    expected: /PreventUserIdleSystemSleep\s+1/,
    otherwise: 'wakeCommand in src/node/service/keep-awake.ts',
  },
  {
    says: 'The idle time of the user can be read without a permission',
    command: 'ioreg -c IOHIDSystem | grep -m1 HIDIdleTime',
    expected: /"HIDIdleTime" = \d+/,
    otherwise: 'nothing yet depends on it',
  },
  {
    says: 'The Tailscale of the App Store answers as the one of Homebrew does',
    command: '/Applications/Tailscale.app/Contents/MacOS/Tailscale status --json',
    expected: /"BackendState": "Running"/,
    otherwise: 'the places in src/node/net/tailscale.ts and src/node/doctor/system.ts',
  },
  {
    says: 'A node that launchd started reaches tailnet addresses; the local network needs a permission (macOS 15)',
    command: 'mesh doctor',
    expected: /peers? reachable/,
    otherwise: 'System Settings, Privacy, Local Network; or use addresses of the tailnet',
  },
  {
    says: 'A flush to the disk takes 5 to 20 ms and goes through the disk’s own cache (F_FULLFSYNC)',
    command: 'mesh doctor',
    expected: /a record is on disk after \d+\.\d ms/,
    otherwise: 'below 1 ms it is not a real flush: src/node/store/',
  },
  {
    says: 'A socket whose path would be too long for macOS (104 bytes) lies in $TMPDIR instead',
    command: 'mesh status --home /tmp/$(printf a%.0s {1..120}) 2>&1; true',
    expected: /no mesh node runs/,
    otherwise: 'src/node/control/socket.ts',
  },
  {
    says: 'Completion works in the zsh that macOS ships',
    command:
      "zsh -fc 'autoload -U compinit; compinit -u -D; source <(mesh completion zsh); whence -w _mesh'",
    expected: /_mesh: function/,
    otherwise: 'src/node/cli/completion-scripts.ts',
  },
  {
    says: 'mesh top is calm in Terminal.app and iTerm2 (look: no flicker, no rests after q)',
    command: 'mesh top',
    expected: /./,
    otherwise: 'src/node/cli/output/screen.ts',
  },
];

export function page(statements: readonly Statement[]): string {
  const rows = statements.map(
    ({ says, command, expected, otherwise }) =>
      `| ${says} | \`${cell(command)}\` | \`${cell(expected.source)}\` | ${otherwise} |`,
  );
  return [
    '# On a Mac: what has not been tried yet',
    '',
    'Everything here was made and tested on Linux x64. macOS on Apple Silicon is what it is made for, and the first run there is still to come.',
    'Below is every statement about macOS in this project that could not be tried, the command that tries it, and what it should print (a regular',
    'expression). `node scripts/mac-check.ts` on a Mac, in a clone after `npm ci`, runs them one after the other and says which do not hold.',
    '',
    '| statement | command | expected | if not, look at |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function check({ command, expected }: Statement): boolean {
  const { stdout, stderr } = spawnSync('bash', ['-c', command], {
    encoding: 'utf8',
    stdio: ['inherit', 'pipe', 'pipe'],
    timeout: 900_000,
  });
  return expected.test(`${stdout}${stderr}`);
}

function main(words: readonly string[]): number {
  const at = words.indexOf('--page');
  if (at !== -1) {
    writeFileSync(words[at + 1] ?? 'docs/mac.md', page(STATEMENTS));
    return 0;
  }
  if (platform() !== 'darwin') {
    for (const { says, command } of STATEMENTS) console.log(`- ${says}\n    ${command}`);
    console.log('\nthis is no Mac: nothing was tried');
    return 0;
  }
  let failed = 0;
  for (const statement of STATEMENTS) {
    if (statement.command === 'mesh top') {
      console.log(`look yourself: ${statement.says}`);
      continue;
    }
    const holds = check(statement);
    if (!holds) failed++;
    console.log(`${holds ? '✓' : '✗'} ${statement.says}`);
    if (!holds) console.log(`    ${statement.command}\n    look at: ${statement.otherwise}`);
  }
  return failed === 0 ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exitCode = main(process.argv.slice(2));
}
