// A process whose files may not grow beyond a limit: a large record does not fit, later small ones do, and vital
// ones still when nothing else does.
import { Journal } from '../../../src/node/store/journal.ts';

const store = await Journal.open(process.argv[2]!);
const outcome = (bytes: number, isVital: boolean): Promise<string> =>
  store.append('j', new Uint8Array(bytes).fill(7), isVital).then(
    () => 'kept',
    (error: Error & { code: string; cause: { code: string } }) =>
      `${error.code} ${error.cause.code}`,
  );
const outcomes = [
  await outcome(1_000, false),
  await outcome(400_000, false),
  await outcome(500, false),
];
let fill = 0;
while ((await outcome(10_000, false)) === 'kept') fill++;
const vital = await outcome(10_000, true);
console.log(JSON.stringify({ outcomes, fill, vital, refusal: store.usage().refusal ?? null }));
await store.close();
