// The first words on a control stream: challenge, claim, verdict, acceptance. The dialler proves itself first,
// so a stranger gets one challenge and one refusal out of a listener; names, members and versions follow only
// when both sides have admitted each other. Two and a half round trips, on a channel on which noise has already
// proved both peer ids.
import { randomBytes } from 'node:crypto';
import type { PeerId } from '../../stealing/ids.ts';
import { MeshError } from '../errors.ts';
import {
  decodeHello,
  encodeHello,
  type Face,
  type Hello,
  MAX_HELLO_FRAME,
  NONCE_BYTES,
  type Refusal,
} from '../wire/hello.ts';
import type { Endpoint } from './address.ts';
import type { Admission, Crossing } from './admission.ts';
import { type ProofBinding, proofBy } from './mesh-key.ts';
import { claimOf, type Pass, verifiesPass } from './passes.ts';
import type { FrameStream } from './stream.ts';

/** The whole exchange. Tailscale's tool may take three seconds on either side. */
export const HELLO_TIMEOUT_MS = 8000;

/** One meeting of two peers on one connection. */
export interface Meeting {
  readonly stream: FrameStream;
  readonly admission: Admission;
  readonly self: PeerId;
  readonly remote: PeerId;
  readonly endpoint: Endpoint;
  readonly protocol: number;
  readonly signal: AbortSignal;
  /** A forgotten peer: refused at every door. */
  readonly isBarred: boolean;
  /** The secret of an invite or of this machine's approval code, when we dial with one. */
  readonly pass?: Uint8Array | undefined;
  /** Asked when the other side is admitted and not before. */
  face(): Face;
}

/** The other side's dial to us is under way and wins: a link comes without our doing. */
export class BusyError extends Error {
  readonly peer: PeerId;

  constructor(peer: PeerId, message: string) {
    super(message);
    this.peer = peer;
  }
}

/** The other side does not know us. A person can vouch: that needs a code, which is made only then. */
export class StrangerError extends Error {
  readonly #ip: string;
  readonly #fingerprint: string;

  constructor(ip: string, fingerprint: string) {
    super(`${ip} does not admit this machine`);
    this.#ip = ip;
    this.#fingerprint = fingerprint;
  }

  async withCode(admission: Admission): Promise<MeshError> {
    const message = [
      `${this.#ip} does not admit this machine`,
      `neither the same mesh key (this one's is ${this.#fingerprint}) nor the same Tailscale login`,
    ].join('\n');
    const code = await admission.showCode();
    const hint = [
      `mesh approve ${code} on ${this.#ip}, then this command again`,
      'or there: mesh invite, which prints the line to type here',
    ].join('\n');
    return new MeshError('REFUSED', message, { hint });
  }
}

/** Throws a StrangerError, a MeshError REFUSED or VERSION, a BusyError, or what broke the stream. */
export async function helloAsDialler(meeting: Meeting): Promise<Face> {
  const { stream, admission, signal } = meeting;
  const challenge = await expectHello(stream, signal, 'challenge');
  const nonce = randomBytes(NONCE_BYTES);
  const binding = bindingOf(meeting, 'dialler', nonce, challenge.nonce);
  const { fingerprint, used: keyUsed } = admission.key;
  const proof = admission.key.prove(binding);
  const pass = meeting.pass && claimOf(meeting.pass, binding);
  const { protocol } = meeting;
  say(stream, { kind: 'claim', protocol, nonce, proof, fingerprint, keyUsed, pass });
  const verdict = await readHello(stream, signal);
  if (verdict?.kind === 'refused') throw refusedError(meeting, verdict);
  if (verdict?.kind !== 'admitted') throw new Error('the other side does not speak the hello');
  const key = await acceptVerdict(meeting, verdict, binding);
  say(stream, { kind: 'accepted', key, face: meeting.face() });
  return verdict.face;
}

/** Undefined when the other side was refused or went away. */
export async function helloAsListener(
  meeting: Meeting,
  crossing: () => Crossing,
): Promise<Face | undefined> {
  const { stream, admission, signal, endpoint } = meeting;
  const listenerNonce = randomBytes(NONCE_BYTES);
  say(stream, { kind: 'challenge', nonce: listenerNonce });
  const claim = await expectHello(stream, signal, 'claim');
  const binding = bindingOf(meeting, 'listener', claim.nonce, listenerNonce);
  const keyAtFirst = admission.key.fingerprint;
  const isProven = admission.key.verifies(binding, claim.proof);
  const pass = admission.passes.behind(claim.pass, binding);
  if (meeting.isBarred) return refuse(meeting, pass === undefined ? 'stranger' : 'forgotten');
  if (crossing().bothDial && !crossing().selfIsHigher) return refuse(meeting, 'busy');
  const former = isProven ? undefined : admission.key.formerBehind(binding, claim.proof);
  const checked = { ...claim, isProven, isFormer: former !== undefined, pass };
  const verdict = await admission.judge(checked, endpoint, crossing());
  if (verdict.kind === 'refuse') return refuse(meeting, verdict.reason);
  // The newer of two that are one apart speaks as the other does.
  if (claim.protocol !== meeting.protocol && claim.protocol !== meeting.protocol + 1)
    return refuse(meeting, 'version');
  stream.allowFrames(MAX_HELLO_FRAME);
  if (verdict.door === 'key') {
    const proof = admission.key.prove({ ...binding, role: 'listener' });
    say(stream, { kind: 'admitted', door: 'key', proof, key: undefined, face: meeting.face() });
    const { face } = await expectHello(stream, signal, 'accepted');
    await admission.admitted(face.origin, face.mesh);
    return face;
  }
  const release = admission.tryExchange();
  if (release === undefined) return refuse(meeting, 'busy');
  try {
    if (admission.key.fingerprint !== keyAtFirst) return refuse(meeting, 'busy');
    const answer = { ...binding, role: 'listener' } as const;
    const proof =
      pass !== undefined
        ? proofBy(pass.secret, 'pass', answer)
        : former && proofBy(former, 'rotation', answer);
    return await exchangeKey(meeting, { door: verdict.door, proof, pass });
  } finally {
    release();
  }
}

/** The listener's side of the two doors behind which a key changes hands. */
async function exchangeKey(
  meeting: Meeting,
  {
    door,
    proof,
    pass,
  }: { door: 'gift' | 'take'; proof: Uint8Array | undefined; pass: Pass | undefined },
): Promise<Face> {
  const { stream, admission, signal } = meeting;
  const key = door === 'gift' ? admission.key.bytes : undefined;
  say(stream, { kind: 'admitted', door, proof, key, face: meeting.face() });
  const accepted = await expectHello(stream, signal, 'accepted');
  if (door === 'take') {
    if (accepted.key === undefined || admission.key.used) throw new Error('no key came');
    const { origin, mesh } = accepted.face;
    await admission.adopt(accepted.key, origin, mesh);
  }
  if (pass !== undefined) await admission.passes.redeem(pass);
  await admission.admitted(accepted.face.origin);
  return accepted.face;
}

/** The dialler's side of the door; returns the key that the listener asked for. */
async function acceptVerdict(
  meeting: Meeting,
  verdict: Extract<Hello, { kind: 'admitted' }>,
  binding: ProofBinding,
): Promise<Uint8Array | undefined> {
  const { admission, endpoint, remote } = meeting;
  const { door, proof, key, face } = verdict;
  const theirs = { ...binding, role: 'listener' } as const;
  if (door === 'key') {
    const isProven = proof !== undefined && admission.key.verifies(theirs, proof);
    if (!isProven) throw notTrusted(endpoint, 'does not hold the mesh key');
    await admission.admitted(face.origin, face.mesh);
    return undefined;
  }
  const release = admission.tryExchange();
  if (release === undefined) throw new BusyError(remote, 'another key exchange is under way here');
  try {
    const isChosen =
      door === 'gift' && meeting.pass !== undefined && verifiesPass(meeting.pass, theirs, proof);
    const knewOurs = proof !== undefined && admission.key.verifiesRotation(theirs, proof);
    if (!isChosen && !(await admission.trusts(endpoint, door, knewOurs))) {
      throw notTrusted(endpoint, 'offers its key, but Tailscale here does not vouch for it');
    }
    if (door === 'gift') {
      if (key === undefined) throw notTrusted(endpoint, 'offers no key');
      await admission.adopt(key, face.origin, face.mesh);
      return undefined;
    }
    await admission.admitted(undefined);
    return admission.key.bytes;
  } finally {
    release();
  }
}

function refuse(meeting: Meeting, reason: Refusal): undefined {
  say(meeting.stream, {
    kind: 'refused',
    reason,
    fingerprint: reason === 'keys' ? meeting.admission.key.fingerprint : undefined,
    protocol: reason === 'version' ? meeting.protocol : undefined,
  });
  return undefined;
}

function refusedError(
  { admission, endpoint, protocol, remote }: Meeting,
  refusal: Extract<Hello, { kind: 'refused' }>,
): Error {
  const { ip } = endpoint;
  const mine = admission.key.fingerprint;
  if (refusal.reason === 'busy') return new BusyError(remote, 'the other side is dialling us');
  if (refusal.reason === 'version') {
    const message = `${ip} speaks protocol ${refusal.protocol ?? '?'}, this peer speaks ${protocol}`;
    return new MeshError('VERSION', message, { hint: 'Install the same version of mesh on both.' });
  }
  if (refusal.reason === 'keys') {
    const message = `${ip} belongs to another mesh: its key is ${refusal.fingerprint ?? '?'}, this one's is ${mine}`;
    const hint = `Both keys are in use. To move this machine over: \`mesh invite\` on ${ip}, then here mesh join --invite and its word.`;
    return new MeshError('REFUSED', message, { hint });
  }
  if (refusal.reason === 'forgotten') {
    const message = `${ip} takes the pass, but its mesh has forgotten this machine's identity`;
    const hint =
      'It may come back as a new peer: mesh stop, move the file `identity` out of its home, then join with the invite again.';
    return new MeshError('REFUSED', message, { hint });
  }
  return new StrangerError(ip, mine);
}

function notTrusted({ ip }: Endpoint, what: string): MeshError {
  const hint = 'Check the address. If it is right, copy the mesh key by hand.';
  return new MeshError('REFUSED', `not joined: ${ip} ${what}`, { hint });
}

function bindingOf(
  { self, remote }: Meeting,
  as: 'dialler' | 'listener',
  diallerNonce: Uint8Array,
  listenerNonce: Uint8Array,
): ProofBinding {
  const isDialler = as === 'dialler';
  return {
    role: 'dialler',
    dialler: isDialler ? self : remote,
    listener: isDialler ? remote : self,
    diallerNonce,
    listenerNonce,
  };
}

function say(stream: FrameStream, hello: Hello): void {
  if (!stream.send(encodeHello(hello))) throw new Error('the other side closed the hello');
}

async function readHello(stream: FrameStream, signal: AbortSignal): Promise<Hello | undefined> {
  const frame = await stream.readWithin(signal);
  return frame === undefined ? undefined : decodeHello(frame);
}

async function expectHello<K extends Hello['kind']>(
  stream: FrameStream,
  signal: AbortSignal,
  kind: K,
): Promise<Extract<Hello, { kind: K }>> {
  const hello = await readHello(stream, signal);
  if (hello?.kind !== kind) throw new Error(`expected a ${kind} in the hello`);
  return hello as Extract<Hello, { kind: K }>;
}
