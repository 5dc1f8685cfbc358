import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { Duplex } from 'node:stream';
import { type DesktopError, refusalIn } from '../base/desktop-error.ts';
import { connectionFailure, connectPinned, type PinnedGateway, unreachable } from './pinned-connection.ts';
import { FrameReader, MessageReader, OPCODES, type WireFrame } from './socket-frames.ts';

/** RFC 6455, section 1.3. */
const ACCEPT = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** The gateway sends a screen in one message; more than this is not from one. */
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_REFUSAL_BYTES = 64 * 1024;
const UPGRADE_MILLIS = 20_000;
const GOODBYE_MILLIS = 500;
/** RFC 6455, section 7.4.1: closed as meant; without a code; without a goodbye. */
export const CLOSED = { normally: 1000, withoutCode: 1005, abnormally: 1006 } as const;

export interface SocketListener {
  message(data: string | Buffer): void;
  /** Once, and nothing after it. */
  closed(code: number, reason: string): void;
}

export interface PinnedSocket {
  /** No more is read until `resume`; what the gateway has to say it keeps or drops as it thinks right. */
  pause(): void;
  resume(): void;
  close(): void;
}

/**
 * Opens a WebSocket of the operator API, which speaks to us and is only told that we are there. Throws what the gateway
 * answered instead, GATEWAY_UNREACHABLE, or GATEWAY_MISMATCH before a byte is sent.
 */
export async function openPinnedSocket(
  gateway: PinnedGateway,
  { path, token }: { readonly path: string; readonly token: string | undefined },
  listener: SocketListener,
): Promise<PinnedSocket> {
  const { origin } = gateway;
  const socket = await connectPinned(gateway);
  const key = randomBytes(16).toString('base64');
  return new Promise((resolve, reject) => {
    const asked = request({
      path,
      // Without an agent, which would make a connection of its own.
      createConnection: () => socket,
      timeout: UPGRADE_MILLIS,
      headers: {
        host: new URL(origin).host,
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': key,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
    });
    asked.on('timeout', () => asked.destroy(unreachable(origin, 'does not answer')));
    asked.on('error', (error) => reject(connectionFailure(origin, error)));
    asked.on('response', (response: IncomingMessage) => {
      refusalOf(response).then(reject, (error: unknown) => reject(connectionFailure(origin, error)));
    });
    asked.on('upgrade', (response, upgraded, head) => {
      const expected = createHash('sha1').update(`${key}${ACCEPT}`).digest('base64');
      if (response.headers['sec-websocket-accept'] !== expected) {
        upgraded.destroy();
        reject(unreachable(origin, 'is no server of WebSockets'));
        return;
      }
      socket.setTimeout(0);
      resolve(new Incoming(upgraded, head, listener));
    });
    asked.end();
  });
}

async function refusalOf(response: IncomingMessage): Promise<DesktopError> {
  let text = '';
  for await (const piece of response as AsyncIterable<Buffer>) {
    text += piece.toString('utf8');
    if (text.length > MOST_REFUSAL_BYTES) break;
  }
  return refusalIn(text, response.statusCode ?? 0);
}

/** The reading side of a WebSocket. A message that is not as the standard has it ends it. */
class Incoming implements PinnedSocket {
  readonly #socket: Duplex;
  readonly #listener: SocketListener;
  readonly #frames = new FrameReader(MOST_BYTES);
  readonly #messages = new MessageReader(MOST_BYTES);
  #paused = false;
  #over = false;

  constructor(socket: Duplex, head: Buffer, listener: SocketListener) {
    this.#socket = socket;
    this.#listener = listener;
    this.#frames.push(head);
    socket.on('data', (piece: Buffer) => {
      this.#frames.push(piece);
      this.#read();
    });
    socket.on('error', () => this.#end(CLOSED.abnormally, 'the connection was lost'));
    socket.on('close', () => this.#end(CLOSED.abnormally, 'the connection was lost'));
    // Whoever opened it has it in hand before the first message.
    setImmediate(() => this.#read());
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused || this.#over) return;
    this.#paused = false;
    this.#socket.resume();
    // What was taken off the connection before it was paused.
    setImmediate(() => this.#read());
  }

  close(): void {
    if (this.#over) return;
    this.#send(OPCODES.close, closePayload(CLOSED.normally));
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), GOODBYE_MILLIS).unref();
    this.#end(CLOSED.normally, '');
  }

  #read(): void {
    try {
      while (!this.#over && !this.#paused) {
        const frame = this.#frames.take();
        if (frame === undefined) return;
        this.#take(frame);
      }
    } catch (thrown) {
      if (!(thrown instanceof RangeError)) throw thrown;
      this.#end(CLOSED.abnormally, `it sent something that is not a WebSocket message: ${thrown.message}`);
      this.#socket.destroy();
    }
  }

  #take(frame: WireFrame): void {
    const { opcode, payload } = frame;
    if (opcode === OPCODES.ping) return this.#send(OPCODES.pong, payload);
    if (opcode === OPCODES.pong) return;
    if (opcode === OPCODES.close) {
      this.#send(OPCODES.close, payload.subarray(0, 2));
      this.#socket.end();
      const code = payload.length >= 2 ? payload.readUInt16BE(0) : CLOSED.withoutCode;
      return this.#end(code, payload.subarray(2).toString('utf8'));
    }
    const message = this.#messages.take(frame);
    if (message !== undefined) this.#listener.message(message);
  }

  /** Frames of a client are masked (RFC 6455, section 5.3). All of ours are short. */
  #send(opcode: number, payload: Buffer): void {
    const mask = randomBytes(4);
    const masked = payload.map((byte, at) => byte ^ (mask[at % 4] as number));
    if (!this.#socket.destroyed) this.#socket.write(Buffer.concat([Buffer.of(0x80 | opcode, 0x80 | payload.length), mask, masked]));
  }

  #end(code: number, reason: string): void {
    if (this.#over) return;
    this.#over = true;
    // Nobody takes the rest, but the end of the connection is to be seen.
    this.#socket.resume();
    this.#listener.closed(code, reason);
  }
}

function closePayload(code: number): Buffer {
  return Buffer.of(code >> 8, code & 0xff);
}
