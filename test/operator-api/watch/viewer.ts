import { TextDecoder } from 'node:util';
import { type LiveMessage, liveMessage, readLiveFrames } from '../../../contract/live-frames.ts';
import { Emulation } from '../../../contract/replay/screen/emulation.ts';
import { nodeCodecHost } from '../../../gateway/recording/codec-host.ts';

/**
 * Whoever watches, as a program: the end of a socket that keeps what arrives, and shows it in terminals of its own the
 * way docs/operator-api.md says.
 */
export class Viewer {
  readonly messages: LiveMessage[] = [];
  /** The screens by channel, as far as there has been a snapshot. */
  readonly screens = new Map<number, Emulation>();
  /** Bytes of output that came as frames. */
  framed = 0;
  bufferedAmount = 0;
  closed: { code: number; reason: string } | undefined;
  /** Reads nothing any more: whatever is sent waits. */
  stuck = false;
  readonly #decoders = new Map<number, TextDecoder>();
  readonly #closeListeners: (() => void)[] = [];
  #heard: (() => void)[] = [];

  send(message: string | Uint8Array): void {
    if (this.stuck) this.bufferedAmount += message.length;
    if (typeof message === 'string') this.#text(liveMessage.parse(JSON.parse(message)));
    else this.#frames(message);
    const heard = this.#heard;
    this.#heard = [];
    for (const listener of heard) listener();
  }

  close(code: number, reason: string): void {
    this.closed = { code, reason };
    this.vanish();
  }

  on(_event: 'close', listener: () => void): void {
    this.#closeListeners.push(listener);
  }

  /** The connection is gone. */
  vanish(): void {
    for (const listener of this.#closeListeners.splice(0)) listener();
  }

  of<T extends LiveMessage['type']>(type: T): Extract<LiveMessage, { type: T }>[] {
    return this.messages.filter((message): message is Extract<LiveMessage, { type: T }> => message.type === type);
  }

  /** Resolves when something has arrived that makes it true. */
  async until(what: string, fits: () => boolean, withinMs = 45_000): Promise<void> {
    const late = AbortSignal.timeout(withinMs);
    while (!fits()) {
      await new Promise<void>((resolve, reject) => {
        if (late.aborted) reject(new Error(`${what} did not happen; there were ${this.messages.map(({ type }) => type).join(', ')}`));
        late.addEventListener('abort', () => reject(new Error(`${what} did not happen within ${withinMs} ms`)), { once: true });
        this.#heard.push(resolve);
      });
    }
  }

  #text(message: LiveMessage): void {
    this.messages.push(message);
    if (message.type !== 'snapshot') return;
    const screen = new Emulation(message.cols, message.rows);
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    this.screens.set(message.channel, screen);
    this.#decoders.set(message.channel, decoder);
    screen.show(decoder.decode(Buffer.from(message.data, 'base64'), { stream: true }));
  }

  #frames(message: Uint8Array): void {
    const read = readLiveFrames(message, nodeCodecHost);
    if (read === undefined) throw new Error('the binary message is not one');
    const screen = this.screens.get(read.channel);
    for (const frame of read.frames) {
      if (frame.kind === 'data' && frame.stream !== 'i') {
        this.framed += frame.bytes.length;
        screen?.show(this.#decoders.get(read.channel)?.decode(frame.bytes, { stream: true }) ?? '');
      } else if (frame.kind === 'resize') screen?.resize(frame.cols, frame.rows);
    }
  }
}
