// One peer of a mesh that is too large for a full view: its own core, in the mesh of its group, and above it one more
// core for every group that it speaks for. All of them are the same StealingCore; a mesh of groups is a mesh. Facts come
// in and orders go out as with one core, and what is said between groups travels as `beyond`.
import { invariant } from '../../invariant.ts';
import { StealingCore } from '../core.ts';
import type { JobId, PeerId } from '../ids.ts';
import type { Input } from '../input.ts';
import type { Limits } from '../limits.ts';
import type { Message, Speaks } from '../messages.ts';
import type { Output } from '../output.ts';
import type { CoreOptions } from '../state.ts';
import type { CoreStatus } from '../status.ts';
import { Acquaintance } from './acquaintance.ts';
import { HandedWindow } from './handed-window.ts';
import { Link } from './link.ts';
import type { Place } from './place.ts';
import { Records } from './records.ts';
import { isNewer, Speaking } from './speaking.ts';

export interface TieredOptions extends CoreOptions {
  readonly place: Place;
}

/** A connection is wanted that nobody needs who only knows its own group. */
interface Dial {
  readonly kind: 'dial';
  readonly peer: PeerId;
}

export type TieredOutput = Output | Dial;

/** A core above the first, as long as this peer speaks for the group that is its member. */
interface Floor {
  readonly core: StealingCore;
  readonly link: Link;
  /** As which member of that mesh, and since which term. */
  readonly self: PeerId;
  readonly term: number;
}

/** ms between two attempts to find who speaks for a group, at least. */
const SEEK_MS = 500;
/** Heartbeats between two repetitions of who speaks. More: two that speak for one group do so for longer; less: more
 * messages while nothing happens, one to each connection. */
const REPEAT_HEARTBEATS = 8;
/** Turns after which floors that go on telling each other something are a bug. */
const TURNS_MAX = 10_000;

export class TieredCore {
  readonly #options: TieredOptions;
  readonly #known: Acquaintance;
  readonly #records = new Records();
  readonly #ground: StealingCore;
  /** [0] of tier 1. */
  #floors: Floor[] = [];
  /** [tier]: of the groups that this peer is a member of, or speaks for a member of. */
  readonly #speaking: Speaking[] = [];
  /** [tier]: who lived there at the last election, and what was known then. */
  readonly #lived: { readonly live: readonly PeerId[]; readonly version: number }[] = [];
  /** [tier]: whom that core takes for the speaker. */
  readonly #chosen: (PeerId | undefined)[] = [];
  /** Tiers whose cores wait for rows from this disk. */
  readonly #recalling = new Set<number>();
  /** The most tasks of a job that were ever known here to count. */
  readonly #counted = new Map<JobId, number>();
  readonly #todo: { readonly tier: number; readonly input: Input }[] = [];
  #outputs: TieredOutput[] = [];
  #nowMs = 0;
  #soughtMs = Number.NEGATIVE_INFINITY;
  #repeatedMs = Number.NEGATIVE_INFINITY;

  constructor(options: TieredOptions) {
    this.#options = options;
    this.#known = new Acquaintance(options.face.peer, options.place);
    this.#ground = new StealingCore({ ...options, isPart: options.place.length > 1 });
  }

  handle(input: Input, nowMs: number): TieredOutput[] {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
    this.#take(input);
    this.#settle();
    this.#repeat();
    this.#seek();
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }

  nextWake(): { readonly atMs: number; readonly reason: string } {
    let wake: { readonly atMs: number; readonly reason: string } = this.#ground.nextWake();
    for (const { core, link } of this.#floors) {
      const next = core.nextWake();
      if (next.atMs < wake.atMs) wake = next;
      const linkMs = link.nextLookMs();
      if (linkMs !== undefined && linkMs < wake.atMs) wake = { atMs: linkMs, reason: 'report' };
    }
    return wake;
  }

  check(): void {
    this.#ground.check();
    for (const { core } of this.#floors) core.check();
  }

  /** Of its group; what is counted of a job, as the highest tier knows that this peer was in. */
  status(nowMs: number): CoreStatus {
    const below = this.#ground.status(nowMs);
    const above = this.#floors.at(-1)?.core.status(nowMs);
    const jobs = below.jobs.map((job) => {
      const { job: id } = job.header;
      const known = [job.counted, above?.job(id)?.counted ?? 0, this.#counted.get(id) ?? 0];
      const counted = Math.max(...known);
      this.#counted.set(id, counted);
      return { ...job, counted };
    });
    return { ...below, jobs, job: (id) => jobs.find(({ header }) => header.job === id) };
  }

  #take(input: Input): void {
    if (input.kind === 'peerConnected') return this.#peerConnected(input);
    if (input.kind === 'peerDisconnected') return this.#peerDisconnected(input);
    if (input.kind === 'messageReceived') return this.#messageReceived(input);
    if (input.kind === 'persisted' || input.kind === 'persistFailed') {
      const { tier, input: told } = this.#records.told(input);
      return this.#tell(tier, told);
    }
    if (input.kind !== 'rowsRecalled') return this.#tell(0, input);
    for (const tier of this.#recalling) this.#tell(tier, input);
    this.#recalling.clear();
  }

  /** Whoever comes hears who speaks for the groups of this peer, and is known when it speaks itself. */
  #peerConnected(input: Extract<Input, { kind: 'peerConnected' }>): void {
    const { peer } = input.face;
    this.#known.connected.add(peer);
    if (this.#known.isMember(0, peer)) this.#tell(0, input);
    for (const word of this.#known.ownWords()) this.#send(peer, word);
    for (const word of this.#known.words()) if (word.peer === peer) this.#meet(word);
  }

  #peerDisconnected(input: Extract<Input, { kind: 'peerDisconnected' }>): void {
    const { peer, refused } = input;
    this.#known.connected.delete(peer);
    if (this.#known.isMember(0, peer)) this.#tell(0, input);
    for (const { peer: speaker, tier, group } of this.#known.words()) {
      if (speaker !== peer || !this.#known.isMember(tier + 1, group)) continue;
      this.#tell(tier + 1, { kind: 'peerDisconnected', peer: group, refused });
    }
  }

  #messageReceived(input: Extract<Input, { kind: 'messageReceived' }>): void {
    const { from, message } = input;
    if (message.kind !== 'speaks' && message.kind !== 'beyond') return this.#tell(0, input);
    // Whoever was let in has a connection: nobody else's word counts.
    if (!this.#known.connected.has(from)) return;
    if (message.kind === 'speaks') return this.#heardSpeaks(from, message);
    const floor = this.#floors[message.tier - 1];
    // Meant for who speaks for that group, by who speaks for the other, as far as this peer knows.
    if (floor?.self === message.to && this.#known.wordOf(message.from)?.peer === from) {
      const { from: group, term: incarnation, message: word } = message;
      this.#tell(message.tier, {
        kind: 'messageReceived',
        from: group,
        incarnation,
        message: word,
      });
      return;
    }
    for (const group of [message.from, message.to]) {
      const word = this.#known.wordOf(group);
      if (word !== undefined) this.#send(from, word);
    }
  }

  #heardSpeaks(from: PeerId, word: Speaks): void {
    if (!this.#known.heard(word)) {
      const known = this.#known.wordOf(word.group);
      if (known !== undefined && isNewer(known, word)) this.#send(from, known);
      return;
    }
    if (this.#known.isOwnGroup(word)) {
      // Others of the group, and whoever asked at this door: one of them may have started anew, and not know that it is
      // the speaker for all others.
      for (const peer of this.#known.connected) if (peer !== from) this.#send(peer, word);
    }
    this.#meet(word);
  }

  /** A member of a mesh in which this peer stands for another. */
  #meet({ tier, group, peer, term, slots }: Speaks): void {
    const floor = this.#floors[tier];
    if (floor === undefined || floor.self === group || !this.#known.isMember(tier + 1, group))
      return;
    if (!this.#known.connected.has(peer)) {
      if (peer !== this.#known.self) this.#outputs.push({ kind: 'dial', peer });
      return;
    }
    const face = { peer: group, name: group, addr: '', slots, incarnation: term };
    this.#tell(tier + 1, { kind: 'peerConnected', face });
  }

  #tell(tier: number, input: Input): void {
    this.#todo.push({ tier, input });
  }

  /** Until nobody has anything to tell the floor above or below. */
  #settle(): void {
    for (let turn = 0; ; turn++) {
      invariant(turn < TURNS_MAX, 'floors come to rest');
      const next = this.#todo.shift();
      if (next !== undefined) {
        this.#run(next.tier, next.input);
        continue;
      }
      this.#elect();
      for (const [i, { core, link }] of this.#floors.entries()) {
        if (core.nextWake().atMs <= this.#nowMs) this.#tell(i + 1, { kind: 'wakeDue' });
        for (const { to, input } of link.look(this.#nowMs))
          this.#tell(to === 'lower' ? i : i + 1, input);
      }
      if (this.#todo.length === 0) return;
    }
  }

  #core(tier: number): StealingCore | undefined {
    return tier === 0 ? this.#ground : this.#floors[tier - 1]?.core;
  }

  #run(tier: number, input: Input): void {
    for (const output of this.#core(tier)?.handle(input, this.#nowMs) ?? []) {
      if (tier === 0) this.#groundOrder(output);
      else this.#floorOrder(tier, output);
    }
  }

  #groundOrder(output: Output): void {
    if (output.kind === 'recallRows') this.#recalling.add(0);
    if (output.kind === 'persist') this.#outputs.push(this.#records.order(0, output));
    else if (output.kind === 'send')
      this.#send(output.to, output.message, this.#afterOf(0, output));
    else this.#outputs.push(output);
  }

  #afterOf(tier: number, { after }: Extract<Output, { kind: 'send' }>): number | undefined {
    return after === undefined ? undefined : this.#records.numberOf(tier, after);
  }

  #floorOrder(tier: number, output: Output): void {
    const { self, term } = this.#floors[tier - 1]!;
    switch (output.kind) {
      case 'send': {
        const { to, message } = output;
        const peer = this.#known.wordOf(to)?.peer;
        if (peer === undefined) return;
        invariant(message.kind !== 'beyond' && message.kind !== 'speaks', 'a core speaks as one');
        const beyond = { kind: 'beyond', tier, from: self, to, term, message } as const;
        this.#send(peer, beyond, this.#afterOf(tier, output));
        return;
      }
      case 'persist': {
        const { entry, id } = output;
        // Rows and jobs of its own group are on disks there already, this one among them.
        const isHere = entry.kind !== 'rows' || entry.batch.maker === self;
        if (isHere) this.#tell(tier, { kind: 'persisted', id });
        else this.#outputs.push(this.#records.order(tier, output));
        return;
      }
      case 'recallRows':
        this.#recalling.add(tier);
        this.#outputs.push(output);
        return;
      case 'jobChanged':
      case 'raiseAlarm':
      case 'log':
        this.#outputs.push(output);
        return;
      // The group loads it, answers whoever submitted it, and leaves peer by peer.
      case 'loadJob':
      case 'unloadJob':
      case 'answerSubmit':
      case 'finishLeaving':
    }
  }

  #send(to: PeerId, message: Message, after?: number): void {
    this.#outputs.push({ kind: 'send', to, message, ...(after === undefined ? {} : { after }) });
  }

  /** Who speaks for each group that this peer has a say in, from the smallest up. */
  #elect(): void {
    const { place } = this.#options;
    for (let tier = 0; tier < place.length - 1; tier++) {
      const core = this.#core(tier);
      if (core === undefined) {
        this.#speaking.length = Math.min(this.#speaking.length, tier);
        this.#lived.length = Math.min(this.#lived.length, tier);
        return;
      }
      // Looked at when somebody came, was lost or said something, and while nobody speaks.
      const live = core.livePeers();
      const { version } = this.#known;
      const last = this.#lived[tier];
      const isSame = last?.live === live && last.version === version;
      if (!isSame || this.#speaking[tier]?.isSettled !== true) this.#electIn(tier, core);
      this.#lived[tier] = { live, version };
    }
  }

  #electIn(tier: number, core: StealingCore): void {
    const { group, members } = this.#known.place[tier]!;
    const speaking = (this.#speaking[tier] ??= new Speaking({
      tier,
      group,
      self: tier === 0 ? this.#known.self : this.#floors[tier - 1]!.self,
      selfPeer: this.#known.self,
      sinceMs: this.#nowMs,
      graceMs: 2 * this.#options.limits.heartbeatMs,
    }));
    const known = this.#known.wordOf(group);
    if (known !== undefined) speaking.heard(known, this.#nowMs);
    const peerOf = (member: PeerId): PeerId | undefined => this.#known.peerOf(tier, member);
    const facts = { nowMs: this.#nowMs, live: core.livePeers(), peerOf, slots: core.wholeSlots() };
    const word = speaking.look(facts);
    if (word !== undefined) {
      this.#known.heard(word);
      for (const peer of this.#known.connected) this.#send(peer, word);
    }
    this.#tellSpeaker(
      tier,
      members.find((member) => peerOf(member) === speaking.current?.peer),
    );
    if (speaking.isSelf) this.#standUp(tier, speaking.current!);
    else this.#floors.length = Math.min(this.#floors.length, tier);
  }

  #tellSpeaker(tier: number, member: PeerId | undefined): void {
    if (this.#chosen[tier] === member) return;
    this.#chosen[tier] = member;
    this.#tell(tier, { kind: 'speakerChosen', peer: member });
  }

  /** This peer speaks for its group of that tier: it takes part in the mesh above. */
  #standUp(tier: number, { group, term, slots }: Speaks): void {
    if (this.#floors[tier]?.term === term) return;
    const { seed, place, epochMs, limits } = this.#options;
    const window = new HandedWindow();
    const upper = new StealingCore({
      face: { peer: group, name: group, addr: '', slots, incarnation: term },
      seed: (seed ^ Math.imul(tier + 1, 0x9e3779b9) ^ term) >>> 0,
      cursor: window,
      limits: limitsAbove(limits),
      isPart: tier + 1 < place.length - 1,
      isGroup: true,
      ...(epochMs === undefined ? {} : { epochMs }),
    });
    const lower = this.#core(tier)!;
    const link = new Link({ lower, upper, window, group, slots, sinceMs: this.#nowMs });
    this.#floors = [...this.#floors.slice(0, tier), { core: upper, link, self: group, term }];
    this.#chosen.length = Math.min(this.#chosen.length, tier + 1);
    this.#tell(tier + 1, { kind: 'wakeDue' });
    for (const word of this.#known.words()) if (word.tier === tier) this.#meet(word);
    this.#soughtMs = Number.NEGATIVE_INFINITY;
  }

  /** Whoever missed the word, or heard another, hears it again. */
  #repeat(): void {
    const pauseMs = REPEAT_HEARTBEATS * this.#options.limits.heartbeatMs;
    if (this.#nowMs - this.#repeatedMs < pauseMs) return;
    this.#repeatedMs = this.#nowMs;
    for (const { isSelf, current } of this.#speaking) {
      if (!isSelf || current === undefined) continue;
      for (const peer of this.#known.connected) this.#send(peer, current);
    }
  }

  /** Groups of which this peer knows nobody who speaks for them: their doors are tried in turn. */
  #seek(): void {
    if (this.#floors.length === 0 || this.#nowMs - this.#soughtMs < SEEK_MS) return;
    this.#soughtMs = this.#nowMs;
    for (const [i, { self }] of this.#floors.entries()) {
      const doors = this.#known.doors(this.#known.place[i + 1]!, self);
      this.#outputs.push(...doors.map((peer): Dial => ({ kind: 'dial', peer })));
    }
  }
}

/** A member up there is a group: it looks further ahead, and what it has to say of its speed is an average already. */
function limitsAbove(limits: Limits): Limits {
  return { ...limits, microBatchMs: 200, rateMemoryMs: 500 };
}
