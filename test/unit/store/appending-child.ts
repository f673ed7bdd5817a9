// A process that appends for ever and says what was acknowledged, until it is killed.
import { writeSync } from 'node:fs';
import { AppendFile } from '../../../src/node/store/append-file.ts';

const store = await AppendFile.open(process.argv[2]!);
for (let record = 0; ; record += 4) {
  const group = [record, record + 1, record + 2, record + 3];
  await Promise.all(group.map((number) => store.append(new TextEncoder().encode(`${number}`))));
  for (const number of group) writeSync(1, `${number}\n`);
}
