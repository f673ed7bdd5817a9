// Two libp2p nodes on loopback with one wrapped stream between them, for tests of what flows on a stream.
import { generateKeyPair } from '@libp2p/crypto/keys';
import type { Connection, Stream } from '@libp2p/interface';
import { AddressRule, toMultiaddr } from '../../../src/node/net/address.ts';
import { StrictNoise } from '../../../src/node/net/strict-noise.ts';
import { createNode, type MeshNode } from '../../../src/node/net/libp2p-node.ts';
import { bindable } from '../../../src/node/net/listening.ts';

export interface StreamEnds {
  readonly dialler: Stream;
  readonly listener: Stream;
}

/** Noise as it is without `mesh key require`. */
export const OPEN: StrictNoise = new StrictNoise({ bytes: new Uint8Array(32), isRequired: false });

export class NodePair {
  readonly dialler: MeshNode;
  readonly listener: MeshNode;
  readonly connection: Connection;
  #protocols = 0;

  private constructor(dialler: MeshNode, listener: MeshNode, connection: Connection) {
    this.dialler = dialler;
    this.listener = listener;
    this.connection = connection;
  }

  static async open(): Promise<NodePair> {
    const rule = new AddressRule();
    const listen = await bindable({ ip: '127.0.0.1', port: 0 });
    const listener = await createNode({
      privateKey: await generateKeyPair('Ed25519'),
      listen,
      rule,
      strict: OPEN,
    });
    const dialler = await createNode({
      privateKey: await generateKeyPair('Ed25519'),
      listen: [],
      rule,
      strict: OPEN,
    });
    const connection = await dialler.dial(toMultiaddr(listen[0]!), { force: true });
    return new NodePair(dialler, listener, connection);
  }

  /** A fresh stream. */
  async stream(): Promise<StreamEnds> {
    const protocol = `/test/${this.#protocols++}`;
    const { promise, resolve } = Promise.withResolvers<Stream>();
    await this.listener.handle(protocol, (stream) => resolve(stream));
    const dialler = await this.connection.newStream(protocol);
    return { dialler, listener: await promise };
  }

  async close(): Promise<void> {
    await Promise.all([this.dialler.stop(), this.listener.stop()]);
  }
}
