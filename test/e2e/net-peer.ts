// A bare host as a process of its own, for tests that kill it or that need another release. Arguments: home, ip, port,
// incarnation, and perhaps the place of a peer to join; NET_PEER_PROTOCOL: what it speaks. Prints its id and port,
// then one line of JSON for whatever it hears.
import { join } from 'node:path';
import { Admission } from '../../src/node/net/admission.ts';
import { MeshHost } from '../../src/node/net/host.ts';
import { loadIdentity } from '../../src/node/net/identity.ts';

const [home = '', ip = '', port = '0', incarnation = '1', target] = process.argv.slice(2);
const { privateKey } = await loadIdentity(join(home, 'identity'));

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const spoken = process.env['NET_PEER_PROTOCOL'];
const host = await MeshHost.start({
  ...(spoken === undefined ? {} : { protocol: Number(spoken) }),
  privateKey,
  listen: { ip, port: Number(port) },
  localIp: ip,
  face: { name: ip, slots: 1, incarnation: Number(incarnation) },
  version: '0.1.0',
  membersFile: join(home, 'members.json'),
  admission: await Admission.open(home),
  blobs: { size: async () => undefined, read: async () => new Uint8Array() },
  onPeer: (peer) => say({ came: peer.peer, incarnation: peer.incarnation }),
  onPeerGone: (peer, refused) => say({ gone: peer, refused }),
  onMessage: (from, _incarnation, message) => say({ from, message }),
  log: {
    debug: () => undefined,
    info: () => undefined,
    warn: (fields, text) => say({ text, fields }),
  },
});
say({ id: host.self.id, port: host.self.port });
if (target !== undefined) await host.join(target, { signal: AbortSignal.timeout(10_000) });
