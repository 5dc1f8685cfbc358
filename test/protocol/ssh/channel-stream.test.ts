import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { ChannelStream } from '../../../gateway/protocol/ssh/channel-stream.ts';
import { FieldReader, MessageType, readChannelData } from '../../../gateway/protocol/ssh/connection-messages.ts';
import { LocalChannel } from '../../../gateway/protocol/ssh/local-endpoint.ts';

const WINDOW = 2 * 1024 * 1024;

/** A channel of a client that takes `window` bytes, and the stream over it. */
function channelStream(window: number, port = { blocked: false }) {
  const said: Buffer[] = [];
  const channel = new LocalChannel({ sender: 7, window, packet: 32 * 1024 }, WINDOW, (message) => said.push(message));
  const stream = new ChannelStream(channel, Object.assign(port, { cork: () => undefined, uncork: () => undefined }));
  const types = () => said.map((message) => message[0]);
  const sent = () => Buffer.concat(said.filter((message) => message[0] === MessageType.CHANNEL_DATA).map(readChannelData));
  const granted = () =>
    said
      .filter((message) => message[0] === MessageType.CHANNEL_WINDOW_ADJUST)
      .reduce((sum, message) => sum + new FieldReader(message, 5).uint32(), 0);
  return { channel, stream, port, types, sent, granted };
}

describe('a channel as a stream', () => {
  it('is done with a write only when the window has taken all of it', async () => {
    const { channel, stream, sent } = channelStream(10);
    const written = new Promise<void>((resolve) => stream.write('0123456789abcdef', () => resolve()));
    expect(sent().toString()).toBe('0123456789');
    expect(stream.writableLength).toBe(16);
    channel.grow(6);
    await written;
    expect(sent().toString()).toBe('0123456789abcdef');
    expect(stream.writableLength).toBe(0);
  });

  it('waits while the connection under it is blocked, although the window is open', async () => {
    const { stream, port } = channelStream(1000);
    port.blocked = true;
    const written = new Promise<void>((resolve) => stream.write('some', () => resolve()));
    expect(stream.writableLength).toBe(4);
    port.blocked = false;
    stream.room();
    await written;
    expect(stream.writableLength).toBe(0);
  });

  it('sends what was corked as one, in its order', () => {
    const { stream, sent, types } = channelStream(1000);
    stream.cork();
    for (const piece of ['a', 'b', 'c']) stream.write(piece);
    expect(types()).toEqual([]);
    stream.uncork();
    expect(sent().toString()).toBe('abc');
    expect(types()).toEqual([MessageType.CHANNEL_DATA]);
  });

  it('lets the client send more only as what came is read', async () => {
    const { stream, granted } = channelStream(1000);
    const piece = Buffer.alloc(32 * 1024, 1);
    for (let bytes = 0; bytes < WINDOW; bytes += piece.length) stream.handler.data(piece);
    expect(granted()).toBe(0);
    let read = 0;
    stream.on('data', (bytes: Buffer) => {
      read += bytes.length;
    });
    while (read < WINDOW) await new Promise((resolve) => setImmediate(resolve));
    // Never so little that a client with an empty window would wait for ever.
    expect(granted()).toBeGreaterThanOrEqual(WINDOW / 2);
    expect(granted()).toBeLessThanOrEqual(WINDOW);
    const before = granted();
    for (let bytes = 0; bytes < WINDOW; bytes += piece.length) stream.handler.data(piece);
    expect(granted()).toBeGreaterThan(before);
    expect(granted()).toBeLessThanOrEqual(read);
  });

  it('ends when the client does: what came is read, then the channel is closed from here, once', async () => {
    const { stream, types } = channelStream(1000);
    const heard: Buffer[] = [];
    stream.handler.data(Buffer.from('last'));
    stream.handler.eof();
    stream.handler.eof();
    stream.handler.data(Buffer.from('too late'));
    stream.on('data', (bytes: Buffer) => heard.push(bytes));
    await once(stream, 'close');
    expect(Buffer.concat(heard).toString()).toBe('last');
    expect(types()).toEqual([MessageType.CHANNEL_EOF, MessageType.CHANNEL_CLOSE]);
    stream.handler.closed();
    stream.handler.data(Buffer.from('later still'));
    expect(types()).toHaveLength(2);
  });

  it('says no exit status, which only sessions have', async () => {
    const { stream, types } = channelStream(1000);
    stream.resume();
    stream.end('bye');
    await once(stream, 'finish');
    expect(types()).toEqual([MessageType.CHANNEL_DATA, MessageType.CHANNEL_EOF, MessageType.CHANNEL_CLOSE]);
  });

  it('that is destroyed with bytes still waiting closes the channel and keeps none', async () => {
    const { channel, stream, types } = channelStream(0);
    stream.on('error', () => undefined);
    stream.write('never taken');
    stream.destroy();
    await once(stream, 'close');
    expect(types()).toEqual([MessageType.CHANNEL_CLOSE]);
    expect(channel.queued).toBe(0);
    channel.grow(1000);
    expect(types()).toEqual([MessageType.CHANNEL_CLOSE]);
  });
});
