// What the local Tailscale client knows. Nothing depends on it: without an answer everything is "unknown", and the door
// that needs it stays closed. Answers are kept for half a minute, so a stranger cannot make us start processes.
import * as z from 'zod';
import type { Endpoint } from './address.ts';
import type { Origin } from './mesh-key.ts';
import { TailscaleLocalApi } from './tailscale-local-api.ts';
import { type TailscaleSource, TailscaleTool } from './tailscale-tool.ts';

/** Longer would let a machine in that has just been taken out of the tailnet; shorter starts more processes. */
const ANSWER_KEPT_MS = 30_000;
/** Addresses remembered at once; a full cache forgets the oldest. */
const ANSWERS_MAX = 1024;

/** Who is behind an address. */
export interface TailscaleNode {
  readonly login: string | undefined;
  readonly tags: readonly string[];
  /** Stays with the machine in its tailnet, whatever its address and keys. */
  readonly id?: string | undefined;
  /** Shared in from another tailnet, or known only because of a share: never admitted by this door. */
  readonly isShared: boolean;
}

interface TailscalePeer {
  readonly name: string;
  readonly ips: readonly string[];
  readonly isOnline: boolean;
  readonly isShared: boolean;
  /** Through a relay (its region), or direct; undefined when there is no traffic to tell from. */
  readonly path:
    | { readonly kind: 'direct' }
    | { readonly kind: 'relay'; readonly region: string }
    | undefined;
}

export interface TailscaleStatus {
  readonly state: string;
  readonly self: TailscaleNode;
  readonly peers: readonly TailscalePeer[];
}

const name = z.string().max(1024);
const tags = z.array(name).max(1024).nullish();
const statusSchema = z.object({
  BackendState: name,
  Self: z.object({ UserID: z.number().nullish(), Tags: tags }).nullish(),
  User: z.record(z.string(), z.object({ LoginName: name })).nullish(),
  Peer: z
    .record(
      z.string(),
      z.object({
        HostName: name.nullish(),
        DNSName: name.nullish(),
        TailscaleIPs: z.array(name).max(64).nullish(),
        Online: z.boolean().nullish(),
        Active: z.boolean().nullish(),
        CurAddr: name.nullish(),
        Relay: name.nullish(),
        ShareeNode: z.boolean().nullish(),
        AltSharerUserID: z.number().nullish(),
      }),
    )
    .nullish(),
});
const whoisSchema = z.object({
  Node: z.object({
    StableID: z.string().max(64).nullish(),
    Tags: tags,
    Sharer: z.number().nullish(),
    ShareeNode: z.boolean().nullish(),
    Hostinfo: z.object({ ShareeNode: z.boolean().nullish() }).nullish(),
  }),
  UserProfile: z.object({ LoginName: name }).nullish(),
});

interface Answer<T> {
  readonly askedMs: number;
  readonly value: Promise<T | undefined>;
}

export class Tailscale {
  readonly #sources: readonly TailscaleSource[];
  #status: Answer<TailscaleStatus> | undefined;
  #relayed: ReadonlySet<string> = new Set();
  readonly #whois = new Map<string, Answer<TailscaleNode>>();

  /** Asked one after the other until one answers. */
  constructor(
    sources: readonly TailscaleSource[] = [new TailscaleTool(), new TailscaleLocalApi()],
  ) {
    this.#sources = sources;
  }

  /** Undefined without Tailscale, without an answer in time, or with one that makes no sense. */
  async status(): Promise<TailscaleStatus | undefined> {
    if (!isFresh(this.#status)) {
      const value = this.#ask((source) => source.status()).then((json) => parse(json, readStatus));
      this.#status = { askedMs: performance.now(), value };
    }
    return this.#status?.value;
  }

  /** Undefined when Tailscale does not know the address, too. */
  async whois(endpoint: Endpoint): Promise<TailscaleNode | undefined> {
    let answer = this.#whois.get(endpoint.ip);
    if (!isFresh(answer)) {
      const value = this.#ask((source) => source.whois(endpoint)).then((json) =>
        this.#withShares(endpoint.ip, parse(json, readWhois)),
      );
      answer = { askedMs: performance.now(), value };
      this.#whois.delete(endpoint.ip);
      this.#whois.set(endpoint.ip, answer);
      const [oldest] = this.#whois.keys();
      if (this.#whois.size > ANSWERS_MAX && oldest !== undefined) this.#whois.delete(oldest);
    }
    return answer?.value;
  }

  /** This machine's own identity as an origin; undefined unless Tailscale is up and logged in. */
  async self(): Promise<Origin | undefined> {
    const status = await this.status();
    return status?.state === 'Running' ? originOf(status.self) : undefined;
  }

  /** As far as is known; asking anew takes a moment, so the news is for the next time. */
  isRelayed(ip: string): boolean {
    void this.status().then((status) => {
      const relayed = status?.peers.filter(({ path }) => path?.kind === 'relay') ?? [];
      this.#relayed = new Set(relayed.flatMap(({ ips }) => ips));
      return undefined;
    });
    return this.#relayed.has(ip);
  }

  /** One sentence about `ip` for a person whose dial failed; undefined when there is nothing to say. */
  async describe(ip: string): Promise<string | undefined> {
    const status = await this.status();
    if (status === undefined) return undefined;
    if (status.state !== 'Running')
      return `Tailscale says: this machine is not connected (${status.state})`;
    const peer = status.peers.find((candidate) => candidate.ips.includes(ip));
    if (peer === undefined) return `Tailscale says: ${ip} is no machine of this tailnet`;
    const path =
      peer.path === undefined
        ? ''
        : peer.path.kind === 'direct'
          ? ', direct'
          : `, relay ${peer.path.region}`;
    const state = peer.isOnline ? `online${path}` : 'offline';
    const meaning = peer.isOnline ? ' → the machine is up, mesh is not running there' : '';
    return `Tailscale says: ${peer.name} (${ip}) is ${state}${meaning}`;
  }

  /** Status marks shares that whois may leave out. */
  async #withShares(
    ip: string,
    node: TailscaleNode | undefined,
  ): Promise<TailscaleNode | undefined> {
    if (node === undefined || node.isShared) return node;
    const status = await this.status();
    const peer = status?.peers.find((candidate) => candidate.ips.includes(ip));
    return { ...node, isShared: peer?.isShared ?? false };
  }

  async #ask(
    question: (source: TailscaleSource) => Promise<string | undefined>,
  ): Promise<string | undefined> {
    for (const source of this.#sources) {
      const answer = await question(source);
      if (answer !== undefined) return answer;
    }
    return undefined;
  }
}

/** A tagged machine belongs to its tags: its login is a pseudo user that all tagged machines share. */
function originOf(node: TailscaleNode): Origin | undefined {
  if (node.tags.length > 0) return { tags: node.tags };
  return node.login === undefined ? undefined : { login: node.login };
}

/** Whether `node` is one of `origin`'s: the same login, or a tag in common. */
export function belongsTo(node: TailscaleNode | undefined, origin: Origin | undefined): boolean {
  if (node === undefined || origin === undefined || node.isShared) return false;
  if (node.tags.length > 0) return node.tags.some((tag) => origin.tags?.includes(tag) === true);
  return node.login !== undefined && node.login === origin.login;
}

function isFresh(answer: Answer<unknown> | undefined): boolean {
  return answer !== undefined && performance.now() - answer.askedMs < ANSWER_KEPT_MS;
}

function parse<T>(json: string | undefined, read: (value: unknown) => T): T | undefined {
  if (json === undefined) return undefined;
  try {
    return read(JSON.parse(json));
  } catch {
    // Another version of the tool, or an error page: what we cannot read we do not know.
    return undefined;
  }
}

function readStatus(value: unknown): TailscaleStatus {
  const status = statusSchema.parse(value);
  const login = status.User?.[String(status.Self?.UserID)]?.LoginName;
  const peers = Object.values(status.Peer ?? {}).map((peer): TailscalePeer => {
    const relay = peer.Relay ?? '';
    const isDirect = (peer.CurAddr ?? '') !== '';
    return {
      name: (peer.DNSName ?? '').split('.')[0] || (peer.HostName ?? '') || 'a machine',
      ips: peer.TailscaleIPs ?? [],
      isOnline: peer.Online ?? false,
      isShared: (peer.ShareeNode ?? false) || (peer.AltSharerUserID ?? 0) !== 0,
      path: isDirect
        ? { kind: 'direct' }
        : relay !== '' && peer.Active === true
          ? { kind: 'relay', region: relay }
          : undefined,
    };
  });
  return {
    state: status.BackendState,
    self: { login, tags: status.Self?.Tags ?? [], isShared: false },
    peers,
  };
}

function readWhois(value: unknown): TailscaleNode {
  const { Node: node, UserProfile: user } = whoisSchema.parse(value);
  const isSharee = (node.ShareeNode ?? false) || (node.Hostinfo?.ShareeNode ?? false);
  return {
    login: user?.LoginName,
    tags: node.Tags ?? [],
    id: node.StableID ?? undefined,
    isShared: isSharee || (node.Sharer ?? 0) !== 0,
  };
}
