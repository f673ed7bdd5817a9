// argv to exit status; everything else is in cli/.
import { runProgram } from './cli/program.ts';
import { meshVersion } from './cli/version.ts';

// `| head` closes the pipe when it has what it wanted: no reason for a stack.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

process.exitCode = await runProgram(process.argv.slice(2), meshVersion());
