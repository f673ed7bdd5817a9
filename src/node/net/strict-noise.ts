// Noise with the mesh key in the handshake, when the mesh requires it: the key goes into the prologue, which every
// authentication tag of the handshake covers, so that without it there is no channel and no hello. Whether it is
// required may change while the node runs, so each handshake looks.
import { createHash } from 'node:crypto';
import { noise } from '@chainsafe/libp2p-noise';
import type { ConnectionEncrypter, MessageStream } from '@libp2p/interface';
import { type Endpoint, endpointOf, formatEndpoint } from './address.ts';

type NoiseFactory = ReturnType<typeof noise>;
type Components = Parameters<NoiseFactory>[0];

export interface KeyInHandshake {
  readonly bytes: Uint8Array;
  readonly isRequired: boolean;
}

/** Places remembered at once: members of a mesh that has become strict while this peer was away. */
const PRESUMED_MAX = 512;

export class StrictNoise {
  readonly #key: KeyInHandshake;
  readonly #presumed = new Set<string>();

  /** `key` is read at each handshake. */
  constructor(key: KeyInHandshake) {
    this.#key = key;
  }

  /** Dials to `endpoint` carry the key from here on, until the returned function is called. */
  presume(endpoint: Endpoint): () => void {
    const place = formatEndpoint(endpoint);
    if (this.#presumed.size >= PRESUMED_MAX) this.#presumed.clear();
    this.#presumed.add(place);
    return () => {
      this.#presumed.delete(place);
    };
  }

  encrypter(): (components: Components) => ConnectionEncrypter {
    return (components) => {
      const open = noise()(components);
      let keyed: { readonly key: Uint8Array; readonly noise: ConnectionEncrypter } | undefined;
      const withKey = (): ConnectionEncrypter => {
        const { bytes } = this.#key;
        if (keyed?.key !== bytes) {
          const prologueBytes = createHash('sha256')
            .update('mesh noise 1\0')
            .update(bytes)
            .digest();
          keyed = { key: bytes, noise: noise({ prologueBytes })(components) };
        }
        return keyed.noise;
      };
      const outbound = (stream: MessageStream): ConnectionEncrypter =>
        this.#key.isRequired || this.#isPresumed(stream) ? withKey() : open;
      return {
        protocol: open.protocol,
        secureInbound: (stream, options) =>
          (this.#key.isRequired ? withKey() : open).secureInbound(stream, options),
        secureOutbound: (stream, options) => outbound(stream).secureOutbound(stream, options),
      };
    };
  }

  #isPresumed(stream: MessageStream): boolean {
    const { remoteAddr } = stream as Partial<{ remoteAddr: Parameters<typeof endpointOf>[0] }>;
    const endpoint = remoteAddr && endpointOf(remoteAddr);
    return endpoint !== undefined && this.#presumed.has(formatEndpoint(endpoint));
  }
}
