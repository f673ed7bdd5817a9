// What every verb gets: the flags that all verbs share, and the two streams.
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ControlClient } from '../control/client.ts';
import { MeshError } from '../errors.ts';
import { parseDuration } from './options.ts';
import { type ColorChoice, openTerminal, type Terminal } from './output/terminal.ts';

export interface Context {
  readonly home: string;
  readonly version: string;
  readonly json: boolean;
  readonly plain: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  /** The peer that shall answer instead of this machine's. */
  readonly via: string | undefined;
  /** Somebody is there to be asked. */
  readonly canAsk: boolean;
  /** Undefined: wait for ever. */
  readonly timeoutMs: number | undefined;
  readonly out: Terminal;
  readonly err: Terminal;
}

/** As commander hands them over. */
export interface GlobalFlags {
  readonly json?: boolean;
  readonly plain?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  /** false: --no-color. */
  readonly color?: string | boolean;
  readonly home?: string;
  readonly via?: string;
  readonly timeout?: string;
  /** false: --no-input. */
  readonly input?: boolean;
}

export function openContext(flags: GlobalFlags, version: string): Context {
  const color = colorChoice(flags);
  return {
    home: resolve(flags.home ?? process.env['MESH_HOME'] ?? join(homedir(), '.mesh')),
    version,
    json: flags.json ?? false,
    plain: flags.plain ?? false,
    quiet: flags.quiet ?? false,
    verbose: flags.verbose ?? false,
    via: flags.via,
    canAsk: flags.input !== false && process.stdin.isTTY,
    timeoutMs: flags.timeout === undefined ? undefined : parseDuration(flags.timeout, '--timeout'),
    out: openTerminal(process.stdout, color),
    err: openTerminal(process.stderr, color),
  };
}

function colorChoice({ color, plain }: GlobalFlags): ColorChoice {
  if (color === false || color === 'never' || plain === true) return 'never';
  return color === 'always' || color === true ? 'always' : 'auto';
}

/** How a list is printed: a table for people, tab-separated values for a pipe, one object for --json. */
export function listFormat({
  json,
  plain,
  quiet,
  out,
}: Context): 'json' | 'tsv' | 'table' | 'none' {
  if (json) return 'json';
  if (quiet) return 'none';
  return plain || !out.isTty ? 'tsv' : 'table';
}

/** The peer that answers: this machine's, or that of --via. Throws NO_NODE. */
export async function connectPeer({ home, via }: Context): Promise<ControlClient> {
  // Help, versions and mistakes need no HTTP, which is half of what a command loads.
  const { ControlClient } = await import('../control/client.ts');
  return ControlClient.connect(home, via);
}

/** For verbs that mean this machine and no other. */
export function refuseVia({ via }: Context, verb: string): void {
  if (via === undefined) return;
  throw new MeshError(
    'USAGE',
    `mesh ${verb} is for the machine it is typed on; --via cannot help`,
    {
      hint: `mesh ${verb}, on ${via}`,
    },
  );
}

/** Does `ask` with the peer of this home; throws NO_NODE when none runs. */
export async function withPeer<T>(
  context: Context,
  ask: (peer: ControlClient) => Promise<T>,
): Promise<T> {
  const peer = await connectPeer(context);
  // A node whose process is stopped is found out by this, before something is asked that may take long.
  await peer.status();
  const answer = await ask(peer);
  warnOfSkew(context, peer);
  return answer;
}

/** One warning on stderr when the running node is of another version; scripts (--json) are not bothered. */
export function warnOfSkew(context: Context, peer: ControlClient): void {
  const { peerVersion } = peer;
  if (peerVersion === undefined || peerVersion === context.version) return;
  if (context.json || context.quiet) return;
  const who = context.via === undefined ? 'the running node' : context.via;
  const cure = context.via === undefined ? '   (mesh stop && mesh join)' : '';
  const line = `${who} is mesh ${peerVersion}, this command is ${context.version}${cure}`;
  context.err.line(context.err.paint('yellow', line));
}
