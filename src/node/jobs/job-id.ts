// A job's id: 80 random bits in Crockford's base 32 (no i, l, o, u), because nobody is there to count jobs.
// Shown as `j-` and the shortest prefix that is unique on the mesh.
import { randomBytes } from 'node:crypto';
import { type JobId, jobId } from '../../stealing/ids.ts';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const CHARS = 16;

export function newJobId(): JobId {
  return jobId(Array.from(randomBytes(CHARS), (byte) => ALPHABET[byte & 31]).join(''));
}
