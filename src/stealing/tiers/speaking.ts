// Who stands for a group in the tier above. One member does until it is gone; then the highest ranked that lives says
// that it does now, with a term one above all it has heard of. Two at once are harmless, as two owners are: each is
// one more member up there for a moment, and the lower term yields.
import { highestRanked, type PeerId } from '../ids.ts';
import type { Speaks } from '../messages.ts';

export interface SpeakingFacts {
  readonly nowMs: number;
  /** Members that live, as this one knows, itself among them. */
  readonly live: readonly PeerId[];
  /** The peer that a member of the group is, or that speaks for it. */
  readonly peerOf: (member: PeerId) => PeerId | undefined;
  /** Of all that live. */
  readonly slots: number;
}

export interface SpeakingOptions {
  readonly tier: number;
  readonly group: PeerId;
  /** This peer, and as which member of the group. */
  readonly selfPeer: PeerId;
  readonly self: PeerId;
  /** When this peer began to ask. */
  readonly sinceMs: number;
  /** ms for which others have the time to say who speaks already, and after a word of another to take it back. */
  readonly graceMs: number;
}

export class Speaking {
  readonly #options: SpeakingOptions;
  #current: Speaks | undefined;
  #termMax = 0;
  #silentUntilMs: number;
  /** Of this peer's last word in this life; a word of a life before says nothing of this one. */
  #ownTerm = 0;

  constructor(options: SpeakingOptions) {
    this.#options = options;
    this.#silentUntilMs = options.sinceMs + options.graceMs;
  }

  get current(): Speaks | undefined {
    return this.#current;
  }

  get isSelf(): boolean {
    return this.#isOwn(this.#current) && this.#current?.term === this.#ownTerm;
  }

  /** The higher term counts; of one term the higher peer. Returns whether it is news. */
  heard(word: Speaks, nowMs: number): boolean {
    this.#termMax = Math.max(this.#termMax, word.term);
    if (!isNewer(word, this.#current)) return false;
    // Two that do not see each other would else outbid each other without end.
    this.#silentUntilMs = Math.max(this.#silentUntilMs, nowMs + this.#options.graceMs);
    this.#current = word;
    return true;
  }

  /** Somebody speaks, and lives. */
  isSettled = false;

  /** Returns what this peer has to say to all, when it speaks for the group from now on. */
  look(facts: SpeakingFacts): Speaks | undefined {
    const { tier, group, self, selfPeer } = this.#options;
    // The others go by the word of its life before, which this one cannot keep: it gives a new one.
    const isEcho = this.#isOwn(this.#current) && !this.isSelf;
    this.isSettled = !isEcho && this.#isHere(facts);
    if (!isEcho) {
      if (this.isSettled || facts.nowMs < this.#silentUntilMs) return undefined;
      if (highestRanked(group, facts.live) !== self) return undefined;
    }
    const word: Speaks = {
      kind: 'speaks',
      tier,
      group,
      peer: selfPeer,
      term: this.#termMax + 1,
      slots: facts.slots,
    };
    this.isSettled = true;
    this.#ownTerm = word.term;
    this.heard(word, facts.nowMs);
    return word;
  }

  #isOwn(word: Speaks | undefined): boolean {
    return word?.peer === this.#options.selfPeer;
  }

  #isHere({ live, peerOf }: SpeakingFacts): boolean {
    const peer = this.#current?.peer;
    return peer !== undefined && live.some((member) => peerOf(member) === peer);
  }
}

export function isNewer(word: Speaks, known: Speaks | undefined): boolean {
  if (known === undefined || word.term !== known.term) return word.term > (known?.term ?? 0);
  return word.peer > known.peer;
}
