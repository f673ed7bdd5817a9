// What `mesh` says when nothing is asked: what it is, the three commands that matter, and the names of the rest.
import type { Command } from 'commander';

export const HEAD = `mesh – run backtests on all your machines. No head node.
  mesh join --peer 100.77.179.14     make this machine part of a mesh
  mesh submit strategies.json        run a file of strategies on every peer
  mesh peers                         who is there and how busy
`;

export const FOOT =
  'mesh COMMAND --help for one command · problems: mesh doctor · first file: mesh init\nmesh help TOPIC: exit-codes, environment, formatting, ray';

/** Verbs by group, in the order in which they are declared. */
export function frontPage(program: Command): string {
  const groups = new Map<string, string[]>();
  for (const command of visibleCommands(program)) {
    const group = command.helpGroup();
    groups.set(group, [...(groups.get(group) ?? []), command.name()]);
  }
  const width = Math.max(...[...groups.keys()].map((group) => group.length));
  const lines = [...groups].map(([group, names]) => `${group.padEnd(width)}  ${names.join('  ')}`);
  return [HEAD, ...lines, '', FOOT, ''].join('\n');
}

export function visibleCommands(program: Command): readonly Command[] {
  return program
    .createHelp()
    .visibleCommands(program)
    .filter((command) => command.name() !== 'help');
}

/** `mesh results [job]` */
export function usageOf(command: Command): string {
  const words = command.registeredArguments.map((argument) => {
    const name = argument.variadic ? `${argument.name()}...` : argument.name();
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  return ['mesh', command.name(), ...words].join(' ');
}
