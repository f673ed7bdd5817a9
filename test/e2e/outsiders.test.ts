// Who is outside stays outside, on real networks and real users: a host of the local network that is routed to the
// tailnet address, and another user of the machine. Linux, as root.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { controlSocketPath } from '../../src/node/control/socket.ts';
import { LOOPBACK, MachineRoom } from './harness/machine-room.ts';
import { noTwoHostsBecause, SECOND_IP, TwoHosts } from './harness/two-hosts.ts';

const run = promisify(execFile);
const obstacle = await noTwoHostsBecause();
const mustRun = process.env['MESH_TEST_NAMESPACES'] === 'required';

/** Connects to what the arguments say, waits until the other side has hung up, prints how many bytes came. */
const PROBE = `
const [to, localAddress] = JSON.parse(process.argv[1]);
const socket = require('node:net').connect({ ...to, localAddress });
let bytes = 0;
const say = (how) => { console.log(JSON.stringify({ bytes, how })); process.exit(0); };
socket.on('data', (data) => (bytes += data.length));
socket.on('error', (error) => say(error.code));
socket.on('close', () => say('closed'));
socket.write(Buffer.from('\\x13/multistream/1.0.0\\n'));
setTimeout(() => say('open'), 8000);
`;

let room: MachineRoom;

beforeEach(async () => {
  room = await MachineRoom.open();
});

afterEach(() => room.close());

describe.skipIf(obstacle !== undefined && !mustRun)('a host of the local network', () => {
  test('that is routed to the tailnet address gets no byte, and one of the tailnet does', async () => {
    const hosts = await TwoHosts.open();
    try {
      for (const [host, ip] of [
        [hosts.first, '192.168.7.1/24'],
        [hosts.second, '192.168.7.2/24'],
      ] as const) {
        await run('ip', ['-n', host.namespace, 'addr', 'add', ip, 'dev', 'tail0']);
      }
      const victim = room.machine('victim', { through: hosts.second.through });
      await victim.join(['--slots', '1']);
      const probe = async (from: string | undefined): Promise<unknown> => {
        const [program = '', ...words] = hosts.first.through;
        const target = JSON.stringify([{ host: SECOND_IP, port: 7420 }, from]);
        const asked = await run(program, [...words, process.execPath, '-e', PROBE, target]);
        return JSON.parse(asked.stdout);
      };
      for (let i = 0; i < 10; i++) {
        expect(await probe('192.168.7.1')).toMatchObject({ bytes: 0 });
      }
      const { bytes } = (await probe(undefined)) as { bytes: number };
      expect(bytes).toBeGreaterThan(0);
    } finally {
      await hosts.close();
    }
  }, 60_000);
});

describe.skipIf(process.getuid?.() !== 0)('another user of the machine', () => {
  test('cannot open the control socket, nor read the key', async () => {
    const victim = room.machine('victim');
    await victim.join([...LOOPBACK, '--slots', '1']);
    const as = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, '-e'];
    const path = controlSocketPath(victim.home);
    const target = JSON.stringify([{ path }]);
    const { stdout } = await run('setpriv', [...as, PROBE, target], { cwd: '/' });
    expect(JSON.parse(stdout)).toEqual({ bytes: 0, how: 'EACCES' });
    const read = `require('node:fs').readFileSync(${JSON.stringify(join(victim.home, 'key'))})`;
    await expect(run('setpriv', [...as, read], { cwd: '/' })).rejects.toThrow('EACCES');
  }, 30_000);
});
