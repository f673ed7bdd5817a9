// The libp2p node with the few parts that the mesh uses and every limit set: TCP, noise, yamux, nothing that
// discovers, relays or announces. The gater looks at the remote address, because binding to a tailnet address
// does not keep the local network out.
import type { ConnectionGater, PrivateKey } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import type { Multiaddr } from '@multiformats/multiaddr';
import { createLibp2p, type Libp2p } from 'libp2p';
import { type AddressRule, type Endpoint, endpointOf, toMultiaddr } from './address.ts';
import { guarded } from './frame-guard.ts';
import type { StrictNoise } from './strict-noise.ts';

/** Lets more addresses be listened on later. */
interface ListenService {
  listen(endpoint: Endpoint): Promise<void>;
}

export type MeshNode = Libp2p<{ listening: ListenService }>;

export interface NodeInit {
  readonly privateKey: PrivateKey;
  readonly listen: readonly Endpoint[];
  readonly rule: AddressRule;
  readonly strict: StrictNoise;
  /** Dial from this address; so that several peers on one machine have addresses of their own. */
  readonly localIp?: string | undefined;
}

export async function createNode({
  privateKey,
  listen,
  rule,
  strict,
  localIp,
}: NodeInit): Promise<MeshNode> {
  // The transport hands these on to the socket; its type forgets this one.
  const dialOpts = localIp === undefined ? {} : ({ localAddress: localIp } as object);
  return createLibp2p({
    privateKey,
    addresses: {
      listen: listen.map((endpoint) => toMultiaddr(endpoint).toString()),
      announceFilter: () => [],
    },
    transports: [tcp({ dialOpts })],
    connectionEncrypters: [strict.encrypter()],
    streamMuxers: [guarded(yamux(MUXER_LIMITS))],
    connectionManager: CONNECTION_LIMITS,
    // Heartbeats on the control stream tell who is alive; the built-in monitor kills busy connections.
    connectionMonitor: { enabled: false },
    connectionGater: gaterOf(rule),
    services: {
      listening: (components): ListenService => ({
        listen: (endpoint) => components.transportManager.listen([toMultiaddr(endpoint)]),
      }),
    },
  });
}

const MUXER_LIMITS = {
  maxInboundStreams: 64,
  maxOutboundStreams: 64,
  streamOptions: {
    // Must be the same on all peers: it is credit that each side assumes.
    initialStreamWindowSize: 256 << 10,
    // One stream moves window / round trip: 4 MiB are 80 MB/s over 50 ms.
    maxStreamWindowSize: 4 << 20,
    // A paused stream may still receive a whole window, and twice that is what does not abort it.
    maxReadBufferLength: 16 << 20,
    maxWriteBufferLength: 4 << 20,
  },
};

const CONNECTION_LIMITS = {
  // Two per pair and some in the making, for a mesh of a hundred.
  maxConnections: 256,
  // Connections per second and address: several peers may share one machine.
  inboundConnectionThreshold: 20,
  // Silent sockets count here until the upgrade times out: with ten, ten of them lock everybody out.
  maxIncomingPendingConnections: 64,
  inboundUpgradeTimeout: 3000,
  addressDialTimeout: 3000,
  dialTimeout: 4000,
  reconnectRetries: 0,
};

function gaterOf(rule: AddressRule): ConnectionGater {
  const denies = (address: Multiaddr): boolean => {
    const endpoint = endpointOf(address);
    return endpoint === undefined || !rule.allows(endpoint.ip);
  };
  return {
    denyInboundConnection: (connection) => denies(connection.remoteAddr),
    denyDialMultiaddr: denies,
    filterMultiaddrForPeer: (_peer, address) => !denies(address),
  };
}
