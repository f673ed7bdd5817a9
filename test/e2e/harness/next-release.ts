// The release after this one, as far as its words on the wire can be foreseen: a copy of the sources that calls itself
// newer, speaks the next protocol with those who know it, appends a field to every message, and says things of which
// this release has never heard. Its kernels are this release's.
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { meshVersion } from '../../../src/node/cli/version.ts';

const CLONE = resolve(import.meta.dirname, '../../..');

export const THIS_VERSION = meshVersion();
export const NEXT_VERSION = THIS_VERSION.replace(
  /\.(\d+)\./,
  (_, minor) => `.${Number(minor) + 1}.`,
);

const CHANGES: readonly { file: string; from: string; to: string }[] = [
  {
    file: 'package.json',
    from: `"version": "${THIS_VERSION}"`,
    to: `"version": "${NEXT_VERSION}"`,
  },
  {
    file: 'src/node/net/host.ts',
    from: 'options.protocol ?? PROTOCOL_VERSION',
    to: 'options.protocol ?? PROTOCOL_VERSION + 1',
  },
  // As a listener it takes the one before; as this release does with the one after.
  {
    file: 'src/node/net/hello.ts',
    from: 'claim.protocol !== meeting.protocol + 1',
    to: 'claim.protocol !== meeting.protocol - 1',
  },
  {
    file: 'src/node/wire/codec.ts',
    from: 'const body = bodyOf(message.kind).write(message);',
    to: "const body = [...(bodyOf(message.kind).write(message) as unknown[]), { news: ['of the next release'] }];",
  },
  // CBOR [1, 99, []]: a kind of message that is not known yet, beside everything that is said.
  {
    file: 'src/node/net/link.ts',
    from: 'if (frame.byteLength <= SMALL_FRAME_BYTES_MAX)',
    to: `this.#control.send(Uint8Array.of(0x83, 1, 0x18, 99, 0x80));
    if (frame.byteLength <= SMALL_FRAME_BYTES_MAX)`,
  },
];

/** Makes it in `directory`, which must not exist; returns its program. */
export async function makeNextRelease(directory: string): Promise<string> {
  await mkdir(directory);
  for (const part of ['bin', 'src', 'package.json'])
    await cp(join(CLONE, part), join(directory, part), { recursive: true });
  await symlink(join(CLONE, 'node_modules'), join(directory, 'node_modules'));
  for (const { file, from, to } of CHANGES) {
    const path = join(directory, file);
    const text = await readFile(path, 'utf8');
    if (text.split(from).length !== 2) throw new Error(`${file} has no single place: ${from}`);
    await writeFile(
      path,
      text.replace(from, () => to),
    );
  }
  return join(directory, 'bin', 'mesh.cjs');
}
