import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { Duplex } from 'node:stream';
import { SallyportError } from '../base/errors.ts';
import { errorIn, readAll } from '../operator-api/ask-gateway.ts';
import { type AskedOverHttps, connectKnown } from './gateway-connection.ts';

/** What arrives on a WebSocket, whole messages; and its end, with the code and the reason of the gateway if it gave any. */
export interface SocketListener {
  text(message: string): void;
  binary(message: Uint8Array): void;
  ended(code: number | undefined, reason: string): void;
}

export interface OpenSocket {
  close(): void;
}

/** RFC 6455, section 1.3. */
const ACCEPT = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** The gateway sends a screen in one message; more than this is not from one. */
const MOST_BYTES = 64 * 1024 * 1024;
const UPGRADE_MILLIS = 20_000;

const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Opens a WebSocket of the operator API, which speaks to us and is only told that we are there. */
export async function openWebSocket({ gateway, token }: AskedOverHttps, path: string, listener: SocketListener): Promise<OpenSocket> {
  const { socket } = await connectKnown(gateway);
  const key = randomBytes(16).toString('base64');
  const { host } = new URL(gateway.url);
  return new Promise((resolve, reject) => {
    const asked = request({
      path,
      createConnection: () => socket,
      timeout: UPGRADE_MILLIS,
      headers: {
        host,
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': key,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
    });
    const failed = (what: string, cause?: unknown) =>
      reject(
        new SallyportError('GATEWAY_UNREACHABLE', `The gateway ${gateway.url} ${what}`, {
          remedy: 'see that it runs and that this is its address for HTTPS',
          ...(cause === undefined ? {} : { cause }),
        }),
      );
    asked.on('timeout', () => asked.destroy(new Error('it does not answer')));
    asked.on('error', (error) => failed(`ended the connection before it answered (${error.message})`, error));
    asked.on('response', (response: IncomingMessage) => {
      readAll(response).then(
        (text) => reject(errorIn(jsonOrNothing(text), response.statusCode ?? 0)),
        (error: unknown) => failed('broke off its answer', error),
      );
    });
    asked.on('upgrade', (response, upgraded, head) => {
      const expected = createHash('sha1').update(`${key}${ACCEPT}`).digest('base64');
      if (response.headers['sec-websocket-accept'] !== expected) {
        upgraded.destroy();
        failed('is no server of WebSockets');
        return;
      }
      socket.setTimeout(0);
      resolve(new Incoming(upgraded, head, listener));
    });
    asked.end();
  });
}

/** The reading side of a WebSocket. A message that is not as the standard has it ends it. */
class Incoming implements OpenSocket {
  readonly #socket: Duplex;
  readonly #listener: SocketListener;
  #held: Buffer;
  /** Frames of a message that goes on. */
  #parts: Buffer[] = [];
  #partsBytes = 0;
  #binary = false;
  #over = false;

  constructor(socket: Duplex, head: Buffer, listener: SocketListener) {
    this.#socket = socket;
    this.#listener = listener;
    this.#held = head;
    socket.on('data', (piece: Buffer) => {
      this.#held = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece]);
      this.#read();
    });
    socket.on('error', () => this.#end(undefined, 'the connection was lost'));
    socket.on('close', () => this.#end(undefined, 'the connection was lost'));
    // Whoever opened it has it in hand before the first message.
    setImmediate(() => this.#read());
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#send(OPCODES.close, Buffer.from([0x03, 0xe8]));
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), 500).unref();
  }

  #read(): void {
    while (!this.#over) {
      const frame = takeFrame(this.#held);
      if (frame === 'incomplete') return;
      if (frame === 'invalid') return this.#break();
      this.#held = this.#held.subarray(frame.end);
      this.#take(frame);
    }
  }

  #take({ opcode, last, payload }: WireFrame): void {
    if (opcode === OPCODES.ping) return this.#send(OPCODES.pong, payload);
    if (opcode === OPCODES.pong) return;
    if (opcode === OPCODES.close) {
      const code = payload.length >= 2 ? payload.readUInt16BE(0) : undefined;
      this.#send(OPCODES.close, payload.subarray(0, 2));
      this.#socket.end();
      return this.#end(code, payload.subarray(2).toString('utf8'));
    }
    const begins = opcode === OPCODES.text || opcode === OPCODES.binary;
    if (begins === this.#parts.length > 0 || (!begins && opcode !== OPCODES.continuation)) return this.#break();
    if (begins) this.#binary = opcode === OPCODES.binary;
    this.#parts.push(payload);
    this.#partsBytes += payload.length;
    if (this.#partsBytes > MOST_BYTES) return this.#break();
    if (!last) return;
    const message = this.#parts.length === 1 ? payload : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#partsBytes = 0;
    if (this.#binary) this.#listener.binary(message);
    else this.#listener.text(message.toString('utf8'));
  }

  /** Frames of a client are masked (RFC 6455, section 5.3). All of ours are short. */
  #send(opcode: number, payload: Buffer): void {
    const mask = randomBytes(4);
    const masked = payload.map((byte, at) => byte ^ (mask[at % 4] as number));
    if (!this.#socket.destroyed) this.#socket.write(Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length]), mask, masked]));
  }

  #break(): void {
    this.#end(undefined, 'it sent something that is not a WebSocket message');
    this.#socket.destroy();
  }

  #end(code: number | undefined, reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#listener.ended(code, reason);
  }
}

interface WireFrame {
  readonly opcode: number;
  readonly last: boolean;
  readonly payload: Buffer;
  readonly end: number;
}

function takeFrame(bytes: Buffer): WireFrame | 'incomplete' | 'invalid' {
  if (bytes.length < 2) return 'incomplete';
  const [first = 0, second = 0] = bytes;
  // No extension was agreed on, and a server masks nothing.
  if ((first & 0x70) !== 0 || (second & 0x80) !== 0) return 'invalid';
  const opcode = first & 0x0f;
  const short = second & 0x7f;
  const control = opcode >= 8;
  if (control && (short > 125 || (first & 0x80) === 0)) return 'invalid';
  const start = short === 126 ? 4 : short === 127 ? 10 : 2;
  if (bytes.length < start) return 'incomplete';
  const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
  if (length > MOST_BYTES) return 'invalid';
  const end = start + length;
  if (bytes.length < end) return 'incomplete';
  return { opcode, last: (first & 0x80) !== 0, payload: bytes.subarray(start, end), end };
}

function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // `errorIn` tells the status then.
  }
}
