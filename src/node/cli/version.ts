// The version of this program. A bundle has it written in; from the sources it is read from package.json.
import { readFileSync } from 'node:fs';

declare const MESH_VERSION_BUNDLED: string | undefined;

export function meshVersion(): string {
  if (typeof MESH_VERSION_BUNDLED === 'string') return MESH_VERSION_BUNDLED;
  const manifest = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}
