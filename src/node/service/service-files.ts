// The files that make a node start at login: a launchd agent on macOS, a systemd user unit on Linux, and the small
// script that both start. Pure functions of what the service shall be.
//
// ProcessType Interactive is what keeps macOS from throttling a background program's CPU and disk (launchd.plist(5):
// unset means light throttling); Background is the polite form, slow on purpose. Both systems start the node again
// only when it failed: after `mesh leave` it stays away.
import { PEER_ENVIRONMENT, PEER_FLAGS } from '../peer-flags.ts';

export interface Service {
  /** Absolute. */
  readonly home: string;
  /** The Node that installed it, and the mesh program, absolute. */
  readonly node: string;
  readonly program: string;
  /** Flags of `join`, such as --slots=4. */
  readonly words: readonly string[];
  /** Yields to everything else on the machine. */
  readonly isPolite: boolean;
}

export const SERVICE_LABEL = 'dev.mesh.node';
export const UNIT_NAME = 'mesh.service';

/** s between two starts of a node that fails, and s that a node gets to end. */
const RESTART_S = 10;
const EXIT_S = 30;
/** Out of 100, the default: what a polite node gets of a core that somebody else wants as well. */
const POLITE_CPU_WEIGHT = 20;
const POLITE_NICE = 10;

export function wrapperPath(home: string): string {
  return `${home}/bin/mesh-node`;
}

/** Version managers move Node with every upgrade; a script finds it again where a fixed path would not. */
export function wrapperScript({ home, node, program, words }: Service): string {
  const flags = words.map(shellWord).join(' ');
  return [
    '#!/bin/sh',
    '# Starts the mesh node of this home; written by `mesh service install`.',
    `export MESH_HOME=${shellWord(home)}`,
    ...Object.entries(PEER_ENVIRONMENT).map(([name, value]) => `export ${name}=${value}`),
    `for node in ${shellWord(node)} "$(command -v node)" /opt/homebrew/bin/node /usr/local/bin/node /usr/bin/node; do`,
    `  [ -x "$node" ] && exec "$node" ${PEER_FLAGS.join(' ')} ${shellWord(program)} join --foreground --quiet${flags === '' ? '' : ` ${flags}`}`,
    'done',
    'echo "mesh: no Node.js found; install it, then: mesh service install" >&2',
    'exit 78',
    '',
  ].join('\n');
}

export function launchdPlist({ home, isPolite }: Service): string {
  const log = `${home}/logs/node.log`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    '<plist version="1.0">',
    '<dict>',
    ...entry('Label', string(SERVICE_LABEL)),
    ...entry('ProgramArguments', `<array>${string(wrapperPath(home))}</array>`),
    ...entry('WorkingDirectory', string(home)),
    ...entry('RunAtLoad', '<true/>'),
    ...entry('KeepAlive', '<dict><key>SuccessfulExit</key><false/></dict>'),
    ...entry('ThrottleInterval', `<integer>${RESTART_S}</integer>`),
    ...entry('ExitTimeOut', `<integer>${EXIT_S}</integer>`),
    ...entry('ProcessType', string(isPolite ? 'Background' : 'Interactive')),
    ...entry('StandardOutPath', string(log)),
    ...entry('StandardErrorPath', string(log)),
    '</dict>',
    '</plist>',
    '',
  ].join('\n');
}

function entry(key: string, value: string): readonly string[] {
  return [`  <key>${key}</key>`, `  ${value}`];
}

function string(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<string>${escaped}</string>`;
}

export function systemdUnit({ home, isPolite }: Service): string {
  return [
    '[Unit]',
    'Description=mesh node: backtests on all your machines',
    '',
    '[Service]',
    // systemd takes no quote in the name of a program, and every one in an argument.
    `ExecStart=/bin/sh ${unitWord(wrapperPath(home))}`,
    `WorkingDirectory=${home.replaceAll('%', '%%')}`,
    'Restart=on-failure',
    `RestartSec=${RESTART_S}`,
    `TimeoutStopSec=${EXIT_S}`,
    ...(isPolite ? [`Nice=${POLITE_NICE}`, `CPUWeight=${POLITE_CPU_WEIGHT}`] : []),
    '',
    '[Install]',
    'WantedBy=default.target',
    '',
  ].join('\n');
}

/** systemd reads % as a specifier, \ and " as in C, $ as a variable. */
function unitWord(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('%', '%%')
    .replaceAll('$', '$$$$');
  return `"${escaped}"`;
}

function shellWord(text: string): string {
  return /^[\w./:=@,+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
