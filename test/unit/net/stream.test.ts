// The stream wrapper against the ways in which a raw stream loses bytes, hangs or grows.
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { FrameStream } from '../../../src/node/net/stream.ts';
import { NodePair } from './node-pair.ts';

const MAX = 1 << 20;

let pair: NodePair;

beforeAll(async () => {
  pair = await NodePair.open();
});

afterAll(() => pair.close());

async function ends(): Promise<[FrameStream, FrameStream]> {
  const { dialler, listener } = await pair.stream();
  return [new FrameStream(dialler, MAX), new FrameStream(listener, MAX)];
}

async function drain(stream: FrameStream): Promise<number[]> {
  const lengths: number[] = [];
  for (let frame = await stream.read(); frame !== undefined; frame = await stream.read()) {
    lengths.push(frame.byteLength);
  }
  return lengths;
}

describe('frames', () => {
  test('of every size arrive whole and in order, then the end', async () => {
    const [a, b] = await ends();
    const sizes = [0, 1, 63, 64, 1000, 65_535, 65_536, 200_000, MAX, 3];
    for (const size of sizes) a.send(new Uint8Array(size).fill(size % 251));
    const ended = a.end(AbortSignal.timeout(5000));
    expect(await drain(b)).toEqual(sizes);
    await ended;
  });

  test('that were sent and ended before anybody listened are all there', async () => {
    for (let round = 0; round < 50; round++) {
      const { dialler, listener } = await pair.stream();
      const a = new FrameStream(dialler, MAX);
      a.send(new Uint8Array(10));
      await a.end(AbortSignal.timeout(5000));
      // The other side looks at its stream only when everything is over.
      await vi.waitUntil(() => listener.remoteWriteStatus === 'closed', { interval: 1 });
      expect(await drain(new FrameStream(listener, MAX))).toEqual([10]);
    }
  });

  test('that never came end at once, when the other side had ended before anybody listened', async () => {
    const { dialler, listener } = await pair.stream();
    await new FrameStream(dialler, MAX).end(AbortSignal.timeout(5000));
    await vi.waitUntil(() => listener.remoteWriteStatus === 'closed', { interval: 1 });
    expect(await drain(new FrameStream(listener, MAX))).toEqual([]);
  });

  test('that claim more than is allowed fail before a byte of them is kept', async () => {
    const [a, b] = await ends();
    b.allowFrames(100);
    a.send(new Uint8Array(101));
    await expect(b.read()).rejects.toThrow(/claims 101 bytes/);
  });
});

describe('a reader that does not read', () => {
  test('stops the writer within two windows, and gets everything when it reads again', async () => {
    const [a, b] = await ends();
    const frame = new Uint8Array(256 << 10);
    let written = 0;
    const writing = (async () => {
      for (let i = 0; i < 200; i++) {
        await a.write(frame);
        written += frame.byteLength;
      }
      await a.end(AbortSignal.timeout(10_000));
    })();
    let before = -1;
    await vi.waitUntil(() => written > 0 && before === (before = written), { interval: 100 });
    expect(written).toBeLessThan(8 << 20);
    expect((await drain(b)).length).toBe(200);
    await writing;
    expect(a.queuedBytes).toBe(0);
  });

  test('and pauses again and again loses nothing', async () => {
    const [a, b] = await ends();
    const writing = (async () => {
      for (let i = 0; i < 400; i++) await a.write(new Uint8Array(50_000).fill(i));
      await a.end(AbortSignal.timeout(10_000));
    })();
    for (let i = 0; i < 400; i++) {
      if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
      const frame = await b.read();
      expect([frame?.byteLength, frame?.[0]]).toEqual([50_000, i % 256]);
    }
    expect(await b.read()).toBeUndefined();
    await writing;
  });
});

describe('a stream that is cut', () => {
  test('is an error to its reader, not an end', async () => {
    const [a, b] = await ends();
    a.send(new Uint8Array(5));
    expect((await b.read())?.byteLength).toBe(5);
    const reading = b.read();
    a.abort(new Error('cut'));
    await expect(reading).rejects.toThrow();
    await b.closed;
    expect(b.send(new Uint8Array(1))).toBe(false);
  });

  test('releases a writer that waits', async () => {
    const [a, b] = await ends();
    const writing = (async () => {
      for (;;) await a.write(new Uint8Array(256 << 10));
    })();
    b.abort(new Error('cut'));
    await expect(writing).rejects.toThrow();
  });

  test('in the middle of a frame never yields that frame', async () => {
    const { dialler, listener } = await pair.stream();
    const b = new FrameStream(listener, MAX);
    // A length of 100, ten bytes, the end.
    dialler.send(Uint8Array.from([100, ...new Uint8Array(10)]));
    await dialler.close();
    await expect(b.read()).rejects.toThrow();
  });

  test('by a deadline throws the deadline', async () => {
    const [, b] = await ends();
    await expect(b.readWithin(AbortSignal.timeout(20))).rejects.toMatchObject({
      name: 'TimeoutError',
    });
  });
});
