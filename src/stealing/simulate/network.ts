// The network between virtual peers, as TCP shows it: messages of one connection arrive in order, late rather
// than never, and are lost only when the connection breaks. A blocked direction holds its messages back until it
// heals or the connection is given up. On top, for a while, noise that no TCP stream makes: single messages
// lost, doubled, overtaken.
import { invariant } from '../../invariant.ts';
import type { PeerId } from '../ids.ts';
import type { Input } from '../input.ts';
import type { Message } from '../messages.ts';
import type { Rng } from '../rng.ts';
import type { VirtualClock } from './clock.ts';
import { Connection, type Direction, otherSide, type Station } from './connection.ts';
import { between, chance } from './draw.ts';
import type { NetworkPlan } from './scenario.ts';

/** Message to bytes and back: the real one, when whoever runs the simulation has it. */
export interface Codec {
  encode(message: Message): Uint8Array;
  decode(
    bytes: Uint8Array,
  ):
    | { readonly ok: true; readonly message: Message }
    | { readonly ok: false; readonly fault: string };
}

export interface Noise {
  readonly untilMs: number;
  readonly loss: number;
  readonly duplicate: number;
  readonly reorder: number;
}

export interface NetworkOptions {
  readonly plan: NetworkPlan;
  readonly codec?: Codec | undefined;
  /** Sees every message at the moment when it is sent. */
  readonly sent: (from: PeerId, to: PeerId, message: Message) => void;
  readonly wire: (bytes: Uint8Array) => void;
}

export class Network {
  readonly #clock: VirtualClock;
  readonly #rng: Rng;
  readonly #options: NetworkOptions;
  readonly #stations = new Map<PeerId, Station>();
  /** Both ways round, in the order in which they came to be. */
  readonly #connections = new Map<PeerId, Map<PeerId, Connection>>();
  /** Directions that nothing passes, `from>to`, and how many faults block each. */
  readonly #blocked = new Map<string, number>();
  #noise: Noise = { untilMs: 0, loss: 0, duplicate: 0, reorder: 0 };

  constructor(clock: VirtualClock, rng: Rng, options: NetworkOptions) {
    this.#clock = clock;
    this.#rng = rng;
    this.#options = options;
  }

  /** `neighbours`: whom it knows from the start; everybody when absent. */
  attach(station: Station, neighbours?: ReadonlySet<PeerId>): void {
    for (const other of this.#stations.values()) {
      if (neighbours?.has(other.id) !== false) this.#join(other, station);
    }
    this.#stations.set(station.id, station);
  }

  /** Somebody whom it did not know so far. */
  dial(from: PeerId, to: PeerId): void {
    const [a, b] = [this.#stations.get(from), this.#stations.get(to)];
    if (a === undefined || b === undefined || this.#peersOf(from).has(to)) return;
    this.#join(a, b);
  }

  #join(a: Station, b: Station): void {
    const latencyMs = between(this.#rng, ...this.#options.plan.latencyMs);
    const connection = new Connection([a, b], latencyMs);
    this.#peersOf(a.id).set(b.id, connection);
    this.#peersOf(b.id).set(a.id, connection);
    this.#dialLater(connection, between(this.#rng, 0, 5));
  }

  /** Whom it ever had a connection to, in the order in which they came. */
  knownTo(id: PeerId): PeerId[] {
    return [...this.#peersOf(id).keys()];
  }

  get bytesPerMs(): number {
    return this.#options.plan.bytesPerMs;
  }

  latencyMs(a: PeerId, b: PeerId): number {
    return this.#connection(a, b).latencyMs;
  }

  /** Open, and nothing blocked. */
  isReachable(a: PeerId, b: PeerId): boolean {
    return this.#connection(a, b).isOpen && this.#isClear(a, b);
  }

  /** Drops the message when there is no connection, as a shell does. */
  send(from: PeerId, to: PeerId, message: Message): void {
    this.#options.sent(from, to, message);
    const connection = this.#peersOf(from).get(to);
    if (connection?.isOpen !== true) return;
    const passed = this.#throughCodec(message);
    const side = connection.sideOf(from);
    const direction = connection.directions[side];
    const incarnation = connection.faces[side]?.incarnation ?? 0;
    const input: Input = { kind: 'messageReceived', from, incarnation, message: passed };
    if (this.#clock.nowMs < this.#noise.untilMs && this.#strayed(connection, side, input)) return;
    const readyMs = this.#clock.nowMs + this.#transitMs(connection);
    direction.waiting.push({ input, readyMs });
    this.#pump(connection, side);
  }

  /** A process came up: what its forerunner had open is reset, and it is dialled. */
  started(id: PeerId): void {
    for (const connection of this.#peersOf(id).values()) {
      if (connection.isOpen) this.#break(connection, id, between(this.#rng, 1, 30));
      this.#dialLater(connection, between(this.#rng, 5, 50));
    }
  }

  /** The process died and its system lives: the other sides see the connection close. */
  closed(id: PeerId): void {
    for (const connection of this.#peersOf(id).values()) {
      const [a, b] = connection.stations;
      if (!this.#isClear(a.id, b.id)) this.#giveUpLater(connection);
      else if (connection.isOpen) this.#break(connection, id, between(this.#rng, 2, 40));
    }
  }

  /** Nobody answers at `id` any more: the other sides see nothing until they give the connection up. */
  silent(id: PeerId): void {
    for (const connection of this.#peersOf(id).values()) this.#giveUpLater(connection);
  }

  block(from: PeerId, to: PeerId): void {
    const key = `${from}>${to}`;
    this.#blocked.set(key, (this.#blocked.get(key) ?? 0) + 1);
    const connection = this.#peersOf(from).get(to);
    if (connection !== undefined) this.#giveUpLater(connection);
  }

  /** Takes one block away; what was held back follows when its sender tries again. */
  unblock(from: PeerId, to: PeerId): void {
    const key = `${from}>${to}`;
    const left = (this.#blocked.get(key) ?? 0) - 1;
    if (left > 0) {
      this.#blocked.set(key, left);
      return;
    }
    this.#blocked.delete(key);
    const connection = this.#peersOf(from).get(to);
    if (connection === undefined) return;
    this.#trustAgain(connection);
    const side = connection.sideOf(from);
    const direction = connection.directions[side];
    if (direction.waiting.length === 0) return;
    direction.heldUntilMs = this.#clock.nowMs + between(this.#rng, 20, 1_500);
    this.#pump(connection, side);
  }

  makeNoise(noise: Noise): void {
    this.#noise = noise;
  }

  /** A process that was stopped goes on, if nobody gave its connections up yet. */
  answered(id: PeerId): void {
    for (const connection of this.#peersOf(id).values()) this.#trustAgain(connection);
  }

  #throughCodec(message: Message): Message {
    const { codec } = this.#options;
    if (codec === undefined) return message;
    const bytes = codec.encode(message);
    this.#options.wire(bytes);
    const decoded = codec.decode(bytes);
    if (!decoded.ok) throw new Error(`the codec reads its own ${message.kind}: ${decoded.fault}`);
    return decoded.message;
  }

  #transitMs(connection: Connection): number {
    const roll = this.#rng.nextFloat();
    // Squared: most messages near the base latency, few near the largest jitter.
    return connection.latencyMs + roll * roll * this.#options.plan.jitterMs;
  }

  /** Noise took the message out of the stream: it is lost, or comes on its own, or comes once more. */
  #strayed(connection: Connection, side: 0 | 1, input: Input): boolean {
    const { loss, duplicate, reorder } = this.#noise;
    if (chance(this.#rng, loss)) return true;
    const isOvertaken = chance(this.#rng, reorder);
    if (isOvertaken || chance(this.#rng, duplicate)) {
      const admittedMs = connection.directions[side].heldUntilMs;
      const receiver = connection.stations[otherSide(side)];
      const incarnation = receiver.face()?.incarnation;
      const arrivesMs =
        this.#clock.nowMs + this.#transitMs(connection) + between(this.#rng, 0, 300);
      this.#clock.at(Math.max(admittedMs, arrivesMs), () => {
        // Late enough, it comes over the connection of its sender's next life.
        const isAdmitted = this.#clock.nowMs >= connection.directions[side].heldUntilMs;
        if (!connection.isOpen || !isAdmitted || !this.#flows(connection, side)) return;
        if (receiver.face()?.incarnation === incarnation) receiver.receive(input);
      });
    }
    return isOvertaken;
  }

  /** Delivers what is due at the head of a direction, and arms itself for the next. */
  #pump(connection: Connection, side: 0 | 1): void {
    const direction = connection.directions[side];
    if (direction.pump !== undefined) return;
    const head = direction.waiting[0];
    if (head === undefined || !this.#flows(connection, side)) return;
    const dueMs = Math.max(head.readyMs, direction.heldUntilMs);
    direction.pump = this.#clock.at(dueMs, () => {
      direction.pump = undefined;
      this.#deliver(connection, side, direction);
    });
  }

  #deliver(connection: Connection, side: 0 | 1, direction: Direction): void {
    if (!this.#flows(connection, side)) return;
    const nowMs = this.#clock.nowMs;
    if (direction.heldUntilMs <= nowMs) {
      const head = direction.waiting[0];
      if (head !== undefined && head.readyMs <= nowMs) {
        direction.waiting.shift();
        connection.stations[otherSide(side)].receive(head.input);
      }
    }
    this.#pump(connection, side);
  }

  #flows(connection: Connection, side: 0 | 1): boolean {
    const from = connection.stations[side];
    const to = connection.stations[otherSide(side)];
    if (to.face() === undefined) return false;
    // Mostly nothing is, and a key of two names is made for every message.
    return this.#blocked.size === 0 || !this.#blocked.has(`${from.id}>${to.id}`);
  }

  #isClear(a: PeerId, b: PeerId): boolean {
    return !this.#blocked.has(`${a}>${b}`) && !this.#blocked.has(`${b}>${a}`);
  }

  #trustAgain(connection: Connection): void {
    const [a, b] = connection.stations;
    const isHeard = [a, b].every((station) => station.face() !== undefined && !station.isStopped());
    if (isHeard && this.#isClear(a.id, b.id)) connection.doubtedMs = undefined;
  }

  #giveUpLater(connection: Connection): void {
    if (!connection.isOpen || connection.doubtedMs !== undefined) return;
    const sinceMs = this.#clock.nowMs;
    const { epoch } = connection;
    connection.doubtedMs = sinceMs;
    this.#clock.after(this.#options.plan.breakAfterMs, () => {
      if (connection.epoch !== epoch || connection.doubtedMs !== sinceMs) return;
      this.#break(connection, undefined, 0);
      this.#dialLater(connection, this.#options.plan.redialMs);
    });
  }

  /** Both ends lose the connection; `dead` lost its process, so only the other end learns of it. */
  #break(connection: Connection, dead: PeerId | undefined, delayMs: number): void {
    const faces = connection.faces;
    const inFlight = connection.close();
    for (const side of [0, 1] as const) {
      const station = connection.stations[side];
      const other = connection.stations[otherSide(side)];
      if (station.id === dead) continue;
      const incarnation = faces[side]?.incarnation;
      const tellMs = this.#clock.nowMs + delayMs;
      // What the dead side had sent and was under way still arrives, then the end of the stream.
      for (const { input, readyMs } of dead === undefined ? [] : inFlight[otherSide(side)]) {
        if (readyMs > tellMs || this.#blocked.has(`${other.id}>${station.id}`)) break;
        this.#clock.at(readyMs, () => this.#hand(station, incarnation, input));
      }
      connection.tellingMs = tellMs;
      this.#clock.at(tellMs, () => {
        const refused =
          dead !== undefined && other.face() === undefined && this.#isClear(station.id, other.id);
        this.#hand(station, incarnation, { kind: 'peerDisconnected', peer: other.id, refused });
      });
    }
    this.#dialLater(connection, delayMs + this.#options.plan.redialMs);
  }

  /** Only to the process for which it was meant. */
  #hand(station: Station, incarnation: number | undefined, input: Input): void {
    if (station.face()?.incarnation === incarnation) station.receive(input);
  }

  #dialLater(connection: Connection, delayMs: number): void {
    if (connection.dial !== undefined) this.#clock.callOff(connection.dial);
    const notBefore = Math.max(this.#clock.nowMs + delayMs, connection.tellingMs + 1);
    connection.dial = this.#clock.at(notBefore, () => {
      connection.dial = undefined;
      this.#dialed(connection);
    });
  }

  #dialed(connection: Connection): void {
    if (connection.isOpen) return;
    const [a, b] = connection.stations;
    const faces = [a.face(), b.face()] as const;
    const isAnswered =
      faces[0] !== undefined && faces[1] !== undefined && !a.isStopped() && !b.isStopped();
    if (!isAnswered || !this.#isClear(a.id, b.id)) {
      // A machine that is off is dialled anew when it starts; everything else again and again.
      if (faces[0] !== undefined && faces[1] !== undefined) {
        this.#dialLater(connection, this.#options.plan.redialMs);
      }
      return;
    }
    connection.open([faces[0], faces[1]]);
    for (const side of [0, 1] as const) {
      // Until its shell has admitted the other, nothing of the other's reaches the core.
      const admittedMs = this.#clock.nowMs + between(this.#rng, 0, 2 * connection.latencyMs);
      const face = faces[otherSide(side)]!;
      connection.directions[otherSide(side)].heldUntilMs = admittedMs;
      const { epoch } = connection;
      this.#clock.at(admittedMs, () => {
        if (connection.epoch === epoch) {
          connection.stations[side].receive({ kind: 'peerConnected', face });
        }
      });
    }
  }

  #connection(a: PeerId, b: PeerId): Connection {
    const connection = this.#connections.get(a)?.get(b);
    invariant(connection !== undefined, 'they are two machines of this network');
    return connection;
  }

  #peersOf(id: PeerId): Map<PeerId, Connection> {
    const known = this.#connections.get(id);
    if (known !== undefined) return known;
    const none = new Map<PeerId, Connection>();
    this.#connections.set(id, none);
    return none;
  }
}
