// A real terminal for tests: a tmux of its own socket, keys typed into it, its screen read back as text.
import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { until } from './until.ts';

const run = promisify(execFile);

export const hasTmux = spawnSync('tmux', ['-V']).status === 0;

export class TmuxScreen {
  readonly #socket = `mesh-test-${randomBytes(4).toString('hex')}`;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(env: Readonly<Record<string, string>>) {
    this.#env = env;
  }

  /** A shell that has `env` on top of this process's own and no prompt. */
  static async open(
    size: { readonly columns: number; readonly rows: number },
    env: Readonly<Record<string, string>>,
  ): Promise<TmuxScreen> {
    const screen = new TmuxScreen(env);
    const shell = 'PS1= PS2= exec sh';
    const words = ['-f', '/dev/null', 'new-session', '-d', '-x', `${size.columns}`, '-y'];
    await screen.#tmux(...words, `${size.rows}`, shell);
    return screen;
  }

  async type(...keys: readonly string[]): Promise<void> {
    await this.#tmux('send-keys', ...keys);
  }

  /** Types a line and Enter. */
  async command(line: string): Promise<void> {
    await this.#tmux('send-keys', '-l', line);
    await this.type('Enter');
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux('resize-window', '-x', `${columns}`, '-y', `${rows}`);
  }

  async lines(): Promise<string[]> {
    const text = await this.#tmux('capture-pane', '-p');
    return text.split('\n').map((line) => line.trimEnd());
  }

  async text(): Promise<string> {
    return (await this.lines()).join('\n');
  }

  /** Resolves with the screen as soon as it shows `pattern`. */
  async shows(pattern: RegExp): Promise<string> {
    let last = '';
    const found = await until(`the screen shows ${pattern}`, async () => {
      last = await this.text();
      return pattern.test(last) ? last : undefined;
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}; it shows:\n${last}`);
    });
    return found;
  }

  async close(): Promise<void> {
    await this.#tmux('kill-server').catch(() => {});
  }

  async #tmux(...words: readonly string[]): Promise<string> {
    // The server takes its environment from the client that starts it, PATH above all.
    const env = { ...process.env, ...this.#env };
    return (await run('tmux', ['-L', this.#socket, ...words], { env })).stdout;
  }
}
