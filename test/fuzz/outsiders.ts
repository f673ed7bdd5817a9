// Strangers at the door of a real peer, each past noise and each with another claim: no key, another mesh's key, the
// right fingerprint without the key, somebody else's proof said again, an invite that was never made. Counts who
// was let in.
import { randomBytes } from 'node:crypto';
import { generateKeyPair } from '@libp2p/crypto/keys';
import { AddressRule, parseEndpoint, toMultiaddr } from '../../src/node/net/address.ts';
import { CONTROL_PROTOCOL } from '../../src/node/net/greeter.ts';
import { createNode } from '../../src/node/net/libp2p-node.ts';
import { FrameStream } from '../../src/node/net/stream.ts';
import { decodeHello, encodeHello, type Hello } from '../../src/node/wire/hello.ts';
import { OPEN } from '../unit/net/node-pair.ts';
import type { TestPeer } from '../unit/net/test-peer.ts';

type Claim = Extract<Hello, { kind: 'claim' }>;

const KINDS = ['noKey', 'otherKey', 'ourFingerprint', 'replay', 'invite', 'rubbish'] as const;
/** Below what one address may do in a second. */
const PER_ADDRESS = 15;

export interface Siege {
  attempts: number;
  /** Got a challenge, and after the claim nothing but a refusal or the end. */
  refused: number;
  letIn: number;
}

export async function besiege(victim: TestPeer, attempts: number): Promise<Siege> {
  const siege: Siege = { attempts: 0, refused: 0, letIn: 0 };
  let replayed: Claim | undefined;
  for (let address = 0; siege.attempts < attempts; address++) {
    const localIp = `127.1.${Math.floor(address / 250) % 250}.${1 + (address % 250)}`;
    const privateKey = await generateKeyPair('Ed25519');
    const node = await createNode({
      privateKey,
      listen: [],
      strict: OPEN,
      rule: new AddressRule(),
      localIp,
    });
    const many = Math.min(PER_ADDRESS, attempts - siege.attempts);
    const turns = Array.from({ length: many }, async (_, i) => {
      const kind = KINDS[(siege.attempts + i) % KINDS.length]!;
      const connection = await node.dial(toMultiaddr(parseEndpoint(victim.place)!), {
        force: true,
      });
      const stream = new FrameStream(await connection.newStream(CONTROL_PROTOCOL), 1 << 20);
      const challenge = decodeHello((await stream.read())!);
      if (challenge?.kind !== 'challenge') throw new Error('no challenge');
      const claim = claimOf(kind, victim, replayed);
      replayed ??= claim;
      stream.send(kind === 'rubbish' ? randomBytes(200) : encodeHello(claim));
      const verdict = await stream.read().catch(() => undefined);
      const said = verdict === undefined ? undefined : decodeHello(verdict);
      if (verdict === undefined || said?.kind === 'refused') siege.refused++;
      else siege.letIn++;
      connection.abort(new Error('over'));
    });
    await Promise.all(turns);
    siege.attempts += many;
    await node.stop();
  }
  siege.letIn += victim.host.peers().length;
  return siege;
}

function claimOf(
  kind: (typeof KINDS)[number],
  victim: TestPeer,
  replayed: Claim | undefined,
): Claim {
  if (kind === 'replay' && replayed !== undefined) return replayed;
  const { fingerprint } = victim.admission.key;
  return {
    kind: 'claim',
    protocol: 1,
    nonce: randomBytes(32),
    proof: randomBytes(32),
    fingerprint: kind === 'ourFingerprint' ? fingerprint : randomBytes(4).toString('hex'),
    keyUsed: kind !== 'noKey',
    pass: kind === 'invite' ? { id: randomBytes(8), proof: randomBytes(32) } : undefined,
  };
}
