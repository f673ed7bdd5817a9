// mesh join --foreground: this process is the peer. What launchd, systemd and a background `join` start.
import { constants } from 'node:os';
import type { ControlHandlers } from '../control/handlers.ts';
import type { Daemon } from '../daemon.ts';
import { writeReport } from '../report.ts';
import type { Context } from './context.ts';
import type { JoinOptions } from './join-options.ts';
import { renderJoined } from './output/peer-screens.ts';
import { printJson } from './output/json.ts';
import { writeStartError } from './start-error.ts';

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** ms to give queue and jobs away after SIGTERM: less than the 30 s that launchd and systemd wait before they kill. */
const LEAVE_MS_MAX = 20_000;

/** Returns when the peer has gone down. */
export async function runForeground(context: Context, options: JoinOptions): Promise<number> {
  const { Daemon } = await import('../daemon.ts');
  const daemon = await Daemon.start({
    ...options,
    peers: options.invite === undefined ? [...options.peers] : [],
    home: context.home,
    version: context.version,
  }).catch(async (error: unknown) => {
    await writeStartError(context.home, error);
    throw error;
  });

  // A bug ends the peer, whose work the others take over; it leaves a report, and the service starts it again.
  process.on('uncaughtException', (error) => {
    process.stderr.write(`${error.stack ?? error.message}\n`);
    void endAfterReport(context, error);
  });

  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    // The second one means now: what is on disk is safe, the others find the work.
    if (stopping) process.exit(128 + constants.signals[signal]);
    stopping = true;
    void (signal === 'SIGTERM' ? leaveFirst(daemon) : daemon.close());
  };
  for (const signal of STOP_SIGNALS) process.on(signal, stop);
  // A parent that keeps a channel to its peers (mesh demo) takes them along when it goes, even by kill -9.
  const orphaned = (): void => stop('SIGHUP');
  if (process.channel !== undefined) process.once('disconnect', orphaned);

  if (options.noWork === true) await daemon.handlers.drain(true);
  if (options.invite !== undefined) {
    await daemon.handlers
      .redeem(options.invite, options.waitMs, options.peers[0])
      .catch(async (error: unknown) => {
        await daemon.close();
        throw error;
      });
  }
  const stopResting = options.polite === true ? await rest(daemon.handlers) : undefined;
  const letSleep = await stayAwake(daemon, options.awake ?? false);
  const stopSparing = await spareBattery(daemon);
  const status = await daemon.handlers.status();
  if (context.json) printJson(context.out, status);
  else if (!context.quiet) {
    const peers = await daemon.handlers.peers();
    context.out.line(renderJoined(status, peers, context.out.paint).join('\n'));
  }
  await daemon.closed;
  stopResting?.();
  letSleep();
  stopSparing();
  for (const signal of STOP_SIGNALS) process.off(signal, stop);
  process.off('disconnect', orphaned);
  return 0;
}

/** What a service manager sends at a shutdown or an upgrade: the others get the work now, and need not look for it. */
async function leaveFirst(daemon: Daemon): Promise<void> {
  const { peers } = daemon.core.status(performance.now());
  // Alone there is nobody to wait for; what is on disk goes on with the next start.
  if (peers.some(({ isSelf, state }) => !isSelf && state === 'ok')) {
    const { handedOver, heirs } = await daemon.handlers.leave({ timeoutMs: LEAVE_MS_MAX });
    daemon.rooms.log.info({ handedOver, heirs }, 'left on SIGTERM');
  }
  await daemon.close();
}

/** Loaded for who asks for it: a node that never rests looks at no battery. */
async function rest(node: Pick<ControlHandlers, 'drain'>): Promise<() => void> {
  const [{ keepPolite }, { lookAround }] = await Promise.all([
    import('../service/keep-polite.ts'),
    import('../service/surroundings.ts'),
  ]);
  return keepPolite(node, () => lookAround(process.platform));
}

/** Whoever waits for a peer needs it awake; one that nobody gives work may sleep. */
async function stayAwake({ core }: Daemon, always: boolean): Promise<() => void> {
  const [{ keepAwake }, { lookAtBattery }] = await Promise.all([
    import('../service/keep-awake.ts'),
    import('../service/surroundings.ts'),
  ]);
  return keepAwake({
    isBusy: () => Promise.resolve([...core.books()].some(({ isActive }) => isActive)),
    isOnBattery: async () => (await lookAtBattery(process.platform)).isOnBattery,
    always,
    platform: process.platform,
  });
}

/** The person who carries the machine wants to work on it as well. */
async function spareBattery(daemon: Daemon): Promise<() => void> {
  const [{ keepSparing }, { lookAtBattery }] = await Promise.all([
    import('../service/keep-sparing.ts'),
    import('../service/surroundings.ts'),
  ]);
  return keepSparing(
    (isWanted) => {
      const text = isWanted
        ? 'on battery below half: no work of others'
        : 'enough battery: work of others again';
      daemon.rooms.log.info(text);
      daemon.tell({ kind: 'sparingRequested', isWanted });
    },
    () => lookAtBattery(process.platform),
  );
}

async function endAfterReport(context: Context, error: Error): Promise<void> {
  await writeReport(context, error);
  process.exit(1);
}
