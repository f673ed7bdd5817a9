// mesh doctor --fix: runs the commands that the findings name, each after its own yes.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline/promises';
import type { Command, Finding } from '../doctor/finding.ts';
import type { Context } from './context.ts';

/** Whether anything ran. What cannot be mended by a command is left to the person, who has seen the list. */
export async function mend(
  context: Context,
  findings: readonly Finding[],
  isSure: boolean,
): Promise<boolean> {
  const curable = findings.filter(({ commands = [] }) => commands.length > 0);
  const say = (line: string): void => {
    if (!context.quiet) context.err.line(line);
  };
  if (curable.length === 0) say('nothing here that a command of mine can mend');
  let ranAny = false;
  for (const { text, commands = [] } of curable) {
    const shown = commands.map((command) => command.map(quoted).join(' ')).join(' && ');
    if (!isSure && !(await isYes(`${text}\n  run: ${shown} ? [y/N] `))) continue;
    ranAny = true;
    for (const command of commands) {
      const status = await run(context, command);
      say(status === 0 ? `  done: ${command.map(quoted).join(' ')}` : `  ${command[0]}: ${status}`);
      if (status !== 0) break;
    }
  }
  return ranAny;
}

/** Ctrl-C means no to this and everything after it. */
async function isYes(question: string): Promise<boolean> {
  const dialog = createInterface({ input: process.stdin, output: process.stderr });
  const leave = new AbortController();
  dialog.once('SIGINT', () => {
    dialog.close();
    process.stderr.write('\n');
    process.exit(130);
  });
  dialog.once('close', () => leave.abort());
  try {
    const answer = await dialog.question(question, { signal: leave.signal });
    return /^y(es)?$/i.test(answer.trim());
  } catch {
    // The end of the input is no yes.
    return false;
  } finally {
    dialog.close();
  }
}

/** Its exit status, or what kept it from running. The person may have to type a password to it. */
function run(context: Context, [program, ...words]: Command): Promise<number | string> {
  const own = process.argv[1] ?? '';
  const [file, args] =
    program === 'mesh'
      ? [process.execPath, [...process.execArgv, own, ...words, '--home', context.home]]
      : ([program, words] as const);
  return new Promise((resolve) => {
    // Its words go to stderr: stdout is for the findings.
    const child = spawn(file, args, { stdio: ['inherit', process.stderr, 'inherit'] });
    child.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    child.once('close', (status, signal) => resolve(status ?? signal ?? 'ended'));
  });
}

function quoted(word: string): string {
  return /^[\w./:=-]+$/.test(word) ? word : `'${word}'`;
}
