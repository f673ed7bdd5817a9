// A process that appends for ever and says what was acknowledged, until it is killed.
import { writeSync } from 'node:fs';
import { Journal } from '../../../src/node/store/journal.ts';

const store = await Journal.open(process.argv[2]!, { segmentBytesMax: 4_096 });
for (let record = 0; ; record += 4) {
  const group = [record, record + 1, record + 2, record + 3];
  await Promise.all(
    group.map((number) => store.append('j', new TextEncoder().encode(`${number}`))),
  );
  for (const number of group) writeSync(1, `${number}\n`);
}
