// One link on a real stream: silence ends it, any frame is life, a faulty frame is the end.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Link, type LinkListener } from '../../../src/node/net/link.ts';
import { FrameStream } from '../../../src/node/net/stream.ts';
import { encodeMessage } from '../../../src/node/wire/codec.ts';
import type { Face } from '../../../src/node/wire/hello.ts';
import type { PeerId } from '../../../src/stealing/ids.ts';
import type { Message } from '../../../src/stealing/messages.ts';
import { NodePair } from './node-pair.ts';

const FACE: Face = {
  name: 'mini',
  slots: 1,
  incarnation: 1,
  version: '0.1.0',
  addrs: [],
  origin: undefined,
  members: [],
  forgotten: [],
};

let pair: NodePair;

beforeAll(async () => {
  pair = await NodePair.open();
});

afterAll(() => pair.close());

interface Ends {
  readonly link: Link;
  readonly remote: FrameStream;
  readonly over: Promise<Error | undefined>;
  readonly heard: AsyncIterator<Message>;
}

/** The remote end says what it likes. Each test has a connection of its own, because a link cuts it. */
async function linked(onMessage?: (message: Message) => void): Promise<Ends> {
  const { dialler, listener } = await pair.stream();
  const link = new Link({
    peer: 'p' as PeerId,
    face: FACE,
    endpoint: { ip: '127.0.0.1', port: 1 },
    remoteIp: '127.0.0.1',
    dialledBySelf: false,
    // The link may cut its connection; the pair's is needed by the next test.
    connection: { abort: () => undefined, close: async () => undefined } as never,
    control: new FrameStream(listener, 1 << 20),
    bulk: { dial: () => Promise.reject(new Error('none')), incarnation: 1 },
  });
  const messages = new TransformStream<Message, Message>();
  const writer = messages.writable.getWriter();
  const listening: LinkListener = {
    onMessage: (_link, message) =>
      onMessage === undefined ? void writer.write(message) : onMessage(message),
    onNews: () => undefined,
    onRekeyed: () => undefined,
  };
  const heard = messages.readable.values();
  return { link, remote: new FrameStream(dialler, 1 << 20), over: link.run(listening), heard };
}

describe('a link', () => {
  test('that is silent for more than fifteen ticks is cut', async () => {
    const { link, over } = await linked();
    for (let second = 0; second < 16; second++) link.tick();
    expect((await over)?.message).toBe('silent');
  });

  test('lives as long as any frame comes', async () => {
    const { link, remote, heard } = await linked();
    for (let round = 0; round < 3; round++) {
      for (let second = 0; second < 15; second++) link.tick();
      remote.send(encodeMessage({ kind: 'grantConfirmed', grant: round }));
      expect((await heard.next()).value).toEqual({ kind: 'grantConfirmed', grant: round });
    }
    expect(link.send({ kind: 'leaving' })).toBe(true);
  });

  test('whose peer floods is read more slowly, and loses nothing of what it says', async () => {
    const handled: number[] = [];
    const { remote } = await linked(() => {
      // It takes 10 ms of the main thread.
      const untilMs = performance.now() + 10;
      while (performance.now() < untilMs);
      handled.push(performance.now());
    });
    for (let grant = 0; grant < 60; grant++) {
      remote.send(encodeMessage({ kind: 'grantConfirmed', grant }));
    }
    // Turns of somebody else, which would wait for all sixty if the peer had no budget.
    let turns = 0;
    for (; handled.length < 60; turns++) await delay(1);
    expect(turns).toBeGreaterThan(100);
  });

  test('remembers a goodbye', async () => {
    const { link, remote, heard } = await linked();
    expect(link.hasSaidGoodbye).toBe(false);
    remote.send(encodeMessage({ kind: 'leaving' }));
    await heard.next();
    expect(link.hasSaidGoodbye).toBe(true);
  });

  test.each<[string, Uint8Array]>([
    ['that is no message', Uint8Array.from([1, 2, 3])],
    ['of another protocol version', Uint8Array.from([0x83, 9, 15, 0x80])],
    ['that is a hello out of place', Uint8Array.from([0x82, 1, 0x80])],
    ['that is empty', new Uint8Array(0)],
  ])('ends by a frame %s', async (_what, frame) => {
    const { remote, over } = await linked();
    remote.send(frame);
    expect(await over).toBeInstanceOf(Error);
  });

  test('ends without an error when the other side ends it', async () => {
    const { remote, over } = await linked();
    await remote.end(AbortSignal.timeout(5000));
    expect(await over).toBeUndefined();
  });
});
