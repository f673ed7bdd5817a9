// mesh top: the whole mesh on one screen, live, until `q`. Nothing here changes the mesh but what is asked for by a
// key and confirmed by another.
import { emitKeypressEvents, type Key } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { RankedTask, SnapshotEvent } from '../control/api.ts';
import { ControlClient } from '../control/client.ts';
import { MeshError } from '../errors.ts';
import { type Context, connectPeer, warnOfSkew } from './context.ts';
import { parseDuration } from './options.ts';
import { Screen } from './output/screen.ts';
import { renderTopScreen } from './output/top-screen.ts';
import { FIRST_STATE, press, type TopAction, type TopState } from './top-state.ts';

const BEST_SHOWN = 15;
/** ms between two tries to find a node that went away. */
const RETRY_MS = 500;
const SIGNALS = ['SIGTERM', 'SIGHUP', 'SIGINT'] as const;

export async function top(
  context: Context,
  { interval }: { readonly interval: string },
): Promise<number> {
  const intervalMs = Math.min(10_000, Math.max(50, parseDuration(interval, '--interval')));
  const isTerminal = context.canAsk && context.out.isTty && process.env['TERM'] !== 'dumb';
  if (!isTerminal || context.json || context.plain || context.quiet) {
    throw new MeshError('USAGE', 'mesh top needs a terminal; use mesh peers --json -w');
  }
  const peer = await connectPeer(context);
  await peer.status();
  warnOfSkew(context, peer);
  return new Top(context, intervalMs).run(peer);
}

class Top {
  readonly #context: Context;
  readonly #intervalMs: number;
  readonly #screen: Screen;
  readonly #over = Promise.withResolvers<number>();
  #state: TopState = FIRST_STATE;
  #snapshot: SnapshotEvent | undefined;
  #best: { readonly job: string; readonly tasks: readonly RankedTask[] } | undefined;
  #trouble: string | undefined;
  #isOver = false;
  #stopObserving: () => void = () => {};

  constructor(context: Context, intervalMs: number) {
    this.#context = context;
    this.#intervalMs = intervalMs;
    this.#screen = new Screen((text) => context.out.write(text));
  }

  /** Returns when the person has left; the terminal is then as it was. */
  async run(peer: ControlClient): Promise<number> {
    const { stdin, stdout } = process;
    const onKey = (text: string | undefined, key: Key): void => this.#key(text, key);
    const onResize = (): void => {
      this.#screen.forget();
      this.#draw();
    };
    const onSignal = (): void => this.#end();
    emitKeypressEvents(stdin);
    stdin.setRawMode(true);
    stdin.on('keypress', onKey);
    stdout.on('resize', onResize);
    for (const signal of SIGNALS) process.on(signal, onSignal);
    // A terminal that is closed takes its streams with it.
    stdin.once('end', onSignal);
    this.#screen.open();
    try {
      await this.#observe(peer);
      return await this.#over.promise;
    } finally {
      this.#isOver = true;
      this.#stopObserving();
      this.#screen.close();
      stdin.setRawMode(false);
      stdin.off('keypress', onKey);
      stdin.pause();
      stdout.off('resize', onResize);
      for (const signal of SIGNALS) process.off(signal, onSignal);
    }
  }

  #end(): void {
    this.#isOver = true;
    this.#over.resolve(0);
  }

  async #observe(peer: ControlClient): Promise<void> {
    this.#stopObserving = await peer.observe({ intervalMs: this.#intervalMs }, (event) => {
      if (this.#isOver) return;
      if (event.kind === 'broken') {
        void this.#findAgain();
        return;
      }
      this.#trouble = undefined;
      if (!this.#state.isPaused) this.#snapshot = event;
      this.#draw();
    });
  }

  /** The node of this home stopped: perhaps it is being restarted. */
  async #findAgain(): Promise<void> {
    while (!this.#isOver) {
      this.#trouble = 'the node on this machine stopped; waiting for it (q quits)';
      this.#draw();
      await delay(RETRY_MS);
      const peer = await ControlClient.find(this.#context.home, this.#context.via).catch(
        () => undefined,
      );
      if (peer === undefined || this.#isOver) continue;
      try {
        await this.#observe(peer);
        return;
      } catch (error) {
        if (!(error instanceof MeshError)) throw error;
      }
    }
  }

  #key(text: string | undefined, key: Key): void {
    // Esc and a key soon after it arrive as one: a terminal's way to say Alt.
    if (key.meta === true && key.name !== 'escape') {
      this.#press('escape');
      this.#press(key.name ?? '');
    } else this.#press(key.ctrl === true && key.name === 'c' ? 'ctrl-c' : keyName(text, key));
    this.#draw();
  }

  #press(key: string): void {
    const { state, action } = press(this.#state, key, this.#snapshot);
    this.#state = state;
    if (action !== undefined) void this.#act(action);
  }

  async #act(action: TopAction): Promise<void> {
    if (action.kind === 'quit') {
      this.#end();
      return;
    }
    try {
      const peer = await connectPeer(this.#context);
      if (action.kind === 'best') {
        this.#best = undefined;
        const { top } = await peer.summary(action.job, { top: BEST_SHOWN });
        this.#best = { job: action.job, tasks: top };
      } else if (action.kind !== 'cancel') {
        const { home, via } = this.#context;
        const isOwn = (await peer.peers()).self === action.target;
        const meant = await ControlClient.connect(home, isOwn ? via : action.target);
        await meant.drain(action.kind === 'drain');
        this.#say(action.kind === 'drain' ? 'it takes no more work' : 'it takes work again');
      } else {
        const { jobs } = await peer.cancel(action.target);
        this.#say(`cancelled ${jobs.join(', ')}`);
      }
    } catch (error) {
      this.#state = { ...this.#state, page: 'main' };
      this.#say(error instanceof Error ? error.message : String(error));
    }
    this.#draw();
  }

  #say(remark: string): void {
    this.#state = { ...this.#state, remark };
  }

  #draw(): void {
    if (this.#isOver) return;
    const { paint } = this.#context.out;
    // What clears the rest of a line would take the last character of a full one.
    const columns = this.#context.out.columns - 1;
    const rows = process.stdout.rows || 24;
    const view = {
      snapshot: this.#snapshot,
      state: this.#state,
      trouble: this.#trouble,
      best: this.#best,
    };
    this.#screen.draw(renderTopScreen(view, { columns, rows }, paint));
  }
}

/** Keys with a name of their own (up, return), else the character. */
function keyName(text: string | undefined, key: Key): string {
  const named = ['up', 'down', 'return', 'escape', 'backspace'].find((name) => name === key.name);
  return named ?? text ?? '';
}
