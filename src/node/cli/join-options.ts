// The flags of `join`, read and checked before anything is started.
import { isIP } from 'node:net';
import { MeshError } from '../errors.ts';
import { DEFAULT_KEEP, type Keep } from '../jobs/retention.ts';
import type { DaemonOptions } from '../daemon.ts';
import { parseDuration, parseMemory, parseNumber, parseSlots, parseWhole } from './options.ts';

export type Throttle = NonNullable<DaemonOptions['throttle']>;

export interface JoinFlags {
  readonly peer?: readonly string[];
  readonly invite?: string;
  readonly allowNet?: readonly string[];
  readonly name?: string;
  readonly slots?: string;
  readonly memory?: string;
  readonly listen?: string;
  readonly port?: string;
  readonly wait: string;
  readonly throttle?: string;
  readonly keep?: string;
  readonly foreground?: boolean;
  readonly polite?: boolean;
  readonly awake?: boolean;
  /** false: --no-work. */
  readonly work?: boolean;
  readonly keepTrying?: boolean;
}

export interface JoinOptions {
  readonly peers: readonly string[];
  /** Never in the arguments of the background process: others on this machine can read those. */
  readonly invite?: string;
  readonly name?: string;
  readonly slots?: number;
  readonly memoryBytes?: number;
  readonly listen?: string;
  readonly port?: number;
  readonly waitMs: number;
  readonly throttle?: Throttle;
  readonly keep?: Keep;
  /** Ranges beside the tailnet and loopback from which peers may come. */
  readonly allowNets?: readonly string[];
  readonly polite?: boolean;
  /** Keeps the machine awake while a job runs, on battery and on Linux too. */
  readonly awake?: boolean;
  /** Submits and looks, and computes nothing. */
  readonly noWork?: boolean;
  /** The node stays when nobody answers, and goes on dialling. */
  readonly keepTrying?: boolean;
}

const NAME_CHARS_MAX = 63;
const PEERS_MAX = 64;
const ADDRESS_CHARS_MAX = 300;

export function readJoinFlags(flags: JoinFlags): JoinOptions {
  const { invite, allowNet, name, slots, memory, listen, port, throttle, keep } = flags;
  return {
    ...(invite === undefined ? {} : { invite }),
    ...(allowNet === undefined ? {} : { allowNets: readAllowNets(allowNet) }),
    peers: readPeers(flags.peer),
    waitMs: parseDuration(flags.wait, '--wait'),
    ...(flags.polite === true ? { polite: true } : {}),
    ...(flags.awake === true ? { awake: true } : {}),
    ...(flags.work === false ? { noWork: true } : {}),
    ...(flags.keepTrying === true ? { keepTrying: true } : {}),
    ...(name === undefined ? {} : { name: readName(name) }),
    ...(slots === undefined ? {} : { slots: parseSlots(slots) }),
    ...(memory === undefined ? {} : { memoryBytes: parseMemory(memory) }),
    ...(listen === undefined ? {} : { listen: readListen(listen) }),
    ...(port === undefined ? {} : { port: parseWhole(port, '--port', { min: 0, max: 65_535 }) }),
    ...(throttle === undefined ? {} : { throttle: readThrottle(throttle) }),
    ...(keep === undefined ? {} : { keep: parseKeep(keep) }),
  };
}

/** The same flags again, for the background process. */
export function joinArguments(options: JoinOptions): string[] {
  const { name, slots, memoryBytes, listen, port, throttle, keep, waitMs } = options;
  const { peers, allowNets = [] } = options;
  const pairs: readonly (readonly [string, string | number | undefined])[] = [
    ['--name', name],
    ['--slots', slots],
    ['--memory', memoryBytes === undefined ? undefined : `${memoryBytes / 2 ** 20}M`],
    ['--listen', listen],
    ['--port', port],
    ['--throttle', throttle === undefined ? undefined : throttleWord(throttle)],
    ['--keep', keep === undefined ? undefined : `${keep.ms}ms,${keep.bytes}B`],
    ['--wait', `${waitMs}ms`],
    ...peers.map((peer) => ['--peer', peer] as const),
    ...allowNets.map((net) => ['--allow-net', net] as const),
  ];
  const words = pairs.flatMap(([flag, value]) => (value === undefined ? [] : [`${flag}=${value}`]));
  return [
    ...words,
    ...(options.polite === true ? ['--polite'] : []),
    ...(options.awake === true ? ['--awake'] : []),
    ...(options.noWork === true ? ['--no-work'] : []),
  ];
}

/** `0.25`, or `0.25@800ms`: after so much work at full speed. */
function readThrottle(text: string): Throttle {
  const [share = '', after = '0ms'] = text.split('@', 2);
  return {
    share: parseNumber(share, '--throttle'),
    afterMs: parseDuration(after, '--throttle'),
  };
}

/** As `readThrottle` reads it. */
export function throttleWord({ share, afterMs }: Throttle): string {
  return `${share}@${afterMs}ms`;
}

const AGE_MS: Readonly<Record<string, number>> = {
  ms: 1,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const SIZE_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
};

/** An age, a size, or both: `30d`, `50GB`, `90d,50GB`. */
export function parseKeep(text: string): Keep {
  let { ms, bytes } = DEFAULT_KEEP;
  for (const part of text.split(',')) {
    const [, digits = '', unit = ''] = /^(\d+)([a-zA-Z]{1,2})$/.exec(part.trim()) ?? [];
    const age = AGE_MS[unit.toLowerCase()];
    const size = SIZE_BYTES[unit.toUpperCase()];
    if (age !== undefined) ms = Number(digits) * age;
    else if (size !== undefined) bytes = Number(digits) * size;
    else {
      throw new MeshError(
        'USAGE',
        `--keep must be like 30d or 90d,50GB, not "${text.slice(0, 40)}"`,
        {
          hint: 'units: m, h, d; MB, GB, TB',
        },
      );
    }
  }
  return { ms, bytes };
}

export function readPeers(peers: readonly string[] = []): readonly string[] {
  if (peers.length > PEERS_MAX) throw new MeshError('USAGE', `at most ${PEERS_MAX} --peer`);
  for (const peer of peers) {
    if (peer === '' || peer.length > ADDRESS_CHARS_MAX || /[\s\p{Cc}]/u.test(peer)) {
      throw new MeshError('USAGE', `--peer must be an address, not "${peer.slice(0, 60)}"`, {
        hint: 'mesh join --peer 100.77.179.14',
      });
    }
  }
  return peers;
}

function readAllowNets(nets: readonly string[]): readonly string[] {
  if (nets.length > PEERS_MAX) throw new MeshError('USAGE', `at most ${PEERS_MAX} --allow-net`);
  for (const net of nets) {
    const [, ip = '', bits] = /^([0-9a-fA-F:.]+)(?:\/(\d{1,3}))?$/.exec(net) ?? [];
    const family = isIP(ip);
    const isRange = family !== 0 && Number(bits ?? 32) <= (family === 4 ? 32 : 128);
    // A whole Internet is not a network of friends; a typed /0 is a slip.
    if (!isRange || Number(bits ?? 32) === 0) {
      throw new MeshError('USAGE', `--allow-net must be a range, not "${net.slice(0, 60)}"`, {
        hint: '--allow-net 192.168.7.0/24',
      });
    }
  }
  return nets;
}

function readName(name: string): string {
  if (name.length > NAME_CHARS_MAX || !/^[\p{L}\p{N}][\p{L}\p{N}._-]*$/u.test(name)) {
    throw new MeshError('USAGE', `--name must be a plain word, not "${name.slice(0, 60)}"`);
  }
  return name;
}

function readListen(listen: string): string {
  const host = /^\[(.+)\](?::\d+)?$/.exec(listen)?.[1] ?? listen.replace(/^([\d.]+):\d+$/, '$1');
  if (isIP(host) === 0) {
    throw new MeshError('USAGE', `--listen must be an IP address, not "${listen.slice(0, 60)}"`);
  }
  if (host === '0.0.0.0' || host === '::') {
    throw new MeshError('USAGE', `--listen must be one address, not all (${host})`, {
      hint: 'the address that the other machines use',
    });
  }
  return listen;
}
