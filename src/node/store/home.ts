// The directory in which a peer lives: private to its user, and used by one process at a time.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MeshError } from '../errors.ts';
import { takeHomeLock } from './home-lock.ts';

const PRIVATE = 0o700;

export interface Home {
  readonly directory: string;
  readonly journal: string;
  readonly blobs: string;
  readonly identity: string;
  readonly members: string;
  readonly log: string;
  readonly incarnation: string;
  release(): Promise<void>;
}

/** Throws ALREADY_RUNNING when another process lives there. */
export async function openHome(directory: string): Promise<Home> {
  try {
    for (const folder of ['', 'run', 'logs']) {
      await mkdir(join(directory, folder), { recursive: true, mode: PRIVATE });
    }
  } catch (cause) {
    throw new MeshError('INTERNAL', `cannot write to ${directory}`, {
      hint: '--home DIRECTORY',
      cause,
    });
  }
  const lock = await takeHomeLock(join(directory, 'run', 'lock'));
  return {
    directory,
    journal: join(directory, 'journal'),
    blobs: join(directory, 'blobs'),
    identity: join(directory, 'identity'),
    members: join(directory, 'members.json'),
    log: join(directory, 'logs', 'node.ndjson'),
    incarnation: join(directory, 'incarnation'),
    release: () => lock.release(),
  };
}
