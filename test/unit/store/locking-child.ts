// A process that tries to live in a home and says how that went; it stays until its stdin ends.
import { openHome } from '../../../src/node/store/home.ts';

try {
  await openHome(process.argv[2]!);
  console.log('lives here');
  process.stdin.resume();
} catch (error) {
  console.log((error as { code?: string }).code);
}
