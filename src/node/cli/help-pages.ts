// Help that is no verb's own: topics, the commands by name, the page of `mesh help`, and the answer to Ray's words.
import type { Command } from 'commander';
import { MeshError } from '../errors.ts';
import { HELP_TOPICS } from './help-topics.ts';

export function declareHelp(program: Command): void {
  program
    .command('help', { hidden: true })
    .argument('[topic]')
    .action((topic: string | undefined) => {
      const page = topic === undefined ? undefined : HELP_TOPICS[topic];
      const command = program.commands.find((command) => command.name() === topic);
      if (page !== undefined) process.stdout.write(`${page()}\n`);
      else if (topic === undefined) program.outputHelp();
      else if (command !== undefined) command.outputHelp();
      else throw unknownTopic(topic);
    });
}

function unknownTopic(topic: string): MeshError {
  return new MeshError('USAGE', `no help on "${topic.slice(0, 40)}"`, {
    hint: `mesh help, or one of: ${Object.keys(HELP_TOPICS).join(', ')}`,
  });
}

export function declareRayHabits(program: Command): void {
  program
    .command('start', { hidden: true })
    .allowUnknownOption()
    .allowExcessArguments()
    .argument('[words...]')
    .helpOption(false)
    .action(async (words: string[]) => {
      throw (await import('./ray.ts')).translateRay(words);
    });
}
