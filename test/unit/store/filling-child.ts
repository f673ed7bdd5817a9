// A process whose files may not grow beyond a limit: a large record does not fit, later small ones do.
import { AppendFile } from '../../../src/node/store/append-file.ts';

const store = await AppendFile.open(process.argv[2]!);
const outcome = (bytes: number): Promise<string> =>
  store.append(new Uint8Array(bytes).fill(7)).then(
    () => 'kept',
    (error: Error & { code: string; cause: { code: string } }) =>
      `${error.code} ${error.cause.code}`,
  );
console.log(JSON.stringify([await outcome(1000), await outcome(100_000), await outcome(500)]));
await store.close();
