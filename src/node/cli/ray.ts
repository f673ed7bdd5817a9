// Fingers that know Ray type `start --head`. They get the command that does what they meant.
import { MeshError } from '../errors.ts';

/** Not run: the answer to `mesh start …` is the same words in mesh. */
export function translateRay(words: readonly string[]): MeshError {
  const slots = valueOf(words, '--num-cpus');
  const address = valueOf(words, '--address');
  const peer = address === undefined ? 'ANY_OTHER_MACHINE' : address.replace(/:\d+$/, '');
  const here = slots === undefined ? 'mesh join' : `mesh join --slots ${slots}`;
  const lines = words.includes('--head')
    ? [`here:          ${here}`, 'on the others: mesh join --peer THIS_MACHINE']
    : [`here: ${here} --peer ${peer}`];
  return new MeshError(
    'USAGE',
    ['mesh has no head node: every machine runs the same command.', ...lines].join('\n'),
    { hint: 'mesh join --help' },
  );
}

/** `--flag value` or `--flag=value`, without anything that a terminal would obey. */
function valueOf(words: readonly string[], flag: string): string | undefined {
  const at = words.findIndex((word) => word === flag || word.startsWith(`${flag}=`));
  if (at === -1) return undefined;
  const word = words[at] ?? '';
  const value = word === flag ? words[at + 1] : word.slice(flag.length + 1);
  return value !== undefined && /^[\w.:-]{1,100}$/.test(value) ? value : undefined;
}
