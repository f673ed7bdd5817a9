// Hellos of every kind for tests.
import type { Face, Hello } from '../../../src/node/wire/hello.ts';
import type { PeerId } from '../../../src/stealing/ids.ts';

export const bytes32: Uint8Array = new Uint8Array(32).fill(3);

export const face: Face = {
  name: 'studio',
  slots: 12,
  incarnation: 7,
  version: '0.1.0',
  addrs: ['100.77.179.14:7420'],
  origin: { login: 'me@example.com', tags: undefined },
  members: [
    {
      id: 'a' as PeerId,
      name: 'mini',
      addrs: ['100.118.215.73:7420'],
      lastSeenMs: 1,
      incarnation: undefined,
    },
  ],
  forgotten: ['b' as PeerId],
};

/** One of each kind, and of each door. */
export const HELLOS: readonly Hello[] = [
  { kind: 'challenge', nonce: bytes32 },
  {
    kind: 'claim',
    protocol: 1,
    nonce: bytes32,
    proof: bytes32,
    fingerprint: '0123abcd',
    keyUsed: true,
  },
  { kind: 'refused', reason: 'stranger', fingerprint: undefined, protocol: undefined },
  { kind: 'refused', reason: 'keys', fingerprint: '0123abcd', protocol: undefined },
  { kind: 'admitted', door: 'gift', proof: undefined, key: bytes32, face },
  { kind: 'accepted', key: undefined, face: { ...face, origin: undefined } },
  { kind: 'news', members: face.members, forgotten: [] },
  {
    kind: 'rekeyed',
    key: bytes32,
    mesh: { generation: 2, isRequired: true, barred: ['n-mini'] },
  },
];
