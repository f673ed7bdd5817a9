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

// A library's timer keeps a peer that has closed alive for another second. A write that is still on its way to a
// pipe is waited for; nothing else is.
for (const stream of [process.stdout, process.stderr]) {
  if (stream.writable) await new Promise<void>((written) => stream.write('', () => written()));
}
process.exit();
