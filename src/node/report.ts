// A report of something that nobody foresaw: what to attach to a bug report, without what is private.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Undefined when the home cannot be written to: that must not hide the failure itself. */
export async function writeReport(
  { home, version }: { readonly home: string; readonly version: string },
  thrown: unknown,
): Promise<string | undefined> {
  const directory = join(home, 'reports');
  const file = join(directory, `${new Date().toISOString().replaceAll(':', '-')}.txt`);
  // Values of flags may be private (paths, addresses); their names are enough to see what was asked.
  const verbs = process.argv.slice(2).filter((word) => /^(-|[a-z]+$)/.test(word));
  const text = [
    `mesh ${version}, node ${process.version}, ${process.platform} ${process.arch}`,
    `asked: ${verbs.map((word) => word.replace(/=.*/, '=…')).join(' ')}`,
    thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown),
  ].join('\n');
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeFile(file, `${text}\n`, { mode: 0o600 });
    return file;
  } catch {
    return undefined;
  }
}
