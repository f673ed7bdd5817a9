// Writes the list of verbs and flags in docs/cli.md anew, from the command tree: node scripts/cli-page.ts. A unit test
// compares the two, so that the page cannot grow old.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeProgram } from '../src/node/cli/program.ts';
import { withReference } from '../src/node/cli/reference.ts';

const file = join(import.meta.dirname, '../docs/cli.md');
writeFileSync(file, withReference(readFileSync(file, 'utf8'), describeProgram('')));
