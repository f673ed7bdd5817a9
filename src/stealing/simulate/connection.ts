// One connection between two machines, or its absence: two ordered streams, and the two processes it joins.
import type { PeerId } from '../ids.ts';
import type { Input, PeerFace } from '../input.ts';
import type { Alarm } from './clock.ts';

/** A machine as the network sees it. */
export interface Station {
  readonly id: PeerId;
  /** Undefined while no process runs. */
  face(): PeerFace | undefined;
  /** A stopped process: its system still takes bytes in, but no handshake ends. */
  isStopped(): boolean;
  receive(input: Input): void;
}

export interface InFlight {
  readonly input: Input;
  readonly readyMs: number;
}

/** What one side sends to the other, in order. */
export interface Direction {
  waiting: InFlight[];
  /** Nothing arrives before: a retransmission is due only then. */
  heldUntilMs: number;
  pump: Alarm | undefined;
}

export class Connection {
  readonly stations: readonly [Station, Station];
  readonly latencyMs: number;
  /** Index: the sending side. */
  directions: readonly [Direction, Direction] = [freshDirection(), freshDirection()];
  faces: readonly [PeerFace | undefined, PeerFace | undefined] = [undefined, undefined];
  isOpen = false;
  /** Rises with every opening and closing. */
  epoch = 0;
  /** Since when the other side is not heard; undefined while it is. */
  doubtedMs: number | undefined;
  /** When the last closing is known to all: no new connection before. */
  tellingMs = 0;
  dial: Alarm | undefined;

  constructor(stations: readonly [Station, Station], latencyMs: number) {
    this.stations = stations;
    this.latencyMs = latencyMs;
  }

  sideOf(peer: PeerId): 0 | 1 {
    return this.stations[0].id === peer ? 0 : 1;
  }

  open(faces: readonly [PeerFace, PeerFace]): void {
    this.#renew();
    this.faces = faces;
    this.isOpen = true;
  }

  /** Returns what was under way, per sending side. */
  close(): readonly [InFlight[], InFlight[]] {
    const inFlight = [this.directions[0].waiting, this.directions[1].waiting] as const;
    this.#renew();
    this.faces = [undefined, undefined];
    this.isOpen = false;
    return inFlight;
  }

  #renew(): void {
    for (const direction of this.directions) {
      if (direction.pump !== undefined) direction.pump.ring = undefined;
    }
    this.directions = [freshDirection(), freshDirection()];
    this.epoch++;
    this.doubtedMs = undefined;
  }
}

export function otherSide(side: 0 | 1): 0 | 1 {
  return side === 0 ? 1 : 0;
}

function freshDirection(): Direction {
  return { waiting: [], heldUntilMs: 0, pump: undefined };
}
