// argv to exit status; everything else is in cli/.
import { runProgram } from './cli/program.ts';
import { meshVersion } from './cli/version.ts';

process.exitCode = await runProgram(process.argv.slice(2), meshVersion());
