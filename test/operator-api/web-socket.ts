import { randomBytes } from 'node:crypto';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';

/**
 * A WebSocket client (RFC 6455) that does what the tests want of it, not what is right: it may stop reading, and answers
 * nothing that it is not told to answer.
 */
export class RawWebSocket {
  /** Of the answer to the upgrade. */
  readonly status: number;
  readonly socket: TLSSocket;
  readonly messages: string[] = [];
  /** Code and reason of the close frame, once there is one. */
  closed: { code: number; reason: string } | undefined;
  /** Whether pings are answered. */
  answersPings = true;
  readonly ended: Promise<void>;
  #buffered: Buffer;
  readonly #pinged: (() => void)[] = [];
  readonly #ponged: (() => void)[] = [];
  readonly #waiting: { fits: (messages: readonly string[]) => boolean; resolve: () => void }[] = [];

  private constructor(socket: TLSSocket, status: number, rest: Buffer) {
    this.socket = socket;
    this.status = status;
    this.#buffered = rest;
    this.ended = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('data', (piece: Buffer) => {
      this.#buffered = Buffer.concat([this.#buffered, piece]);
      this.#read();
    });
    this.#read();
  }

  static open(options: {
    port: number;
    path: string;
    headers?: Readonly<Record<string, string>>;
    host?: string;
    from?: string;
  }): Promise<RawWebSocket> {
    const { port, path, headers = {}, host = `127.0.0.1:${port}`, from = '127.0.0.1' } = options;
    return new Promise((resolve, reject) => {
      // TLS takes what TCP takes, which its types do not say.
      const where: ConnectionOptions & { localAddress: string } = {
        host: '127.0.0.1',
        port,
        rejectUnauthorized: false,
        localAddress: from,
      };
      const socket = connect(where);
      let head = Buffer.alloc(0);
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('the connection ended before the answer')));
      socket.write(
        [
          `GET ${path} HTTP/1.1`,
          `Host: ${host}`,
          'Connection: Upgrade',
          'Upgrade: websocket',
          'Sec-WebSocket-Version: 13',
          `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
          ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
          '\r\n',
        ].join('\r\n'),
      );
      const take = (piece: Buffer): void => {
        head = Buffer.concat([head, piece]);
        const end = head.indexOf('\r\n\r\n');
        if (end === -1) return;
        socket.off('data', take).removeAllListeners('error').removeAllListeners('close');
        socket.on('error', () => undefined);
        const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head.toString('latin1'))?.[1] ?? 0);
        resolve(new RawWebSocket(socket, status, head.subarray(end + 4)));
      };
      socket.on('data', take);
    });
  }

  /** Resolves as soon as the messages so far fit. */
  until(fits: (messages: readonly string[]) => boolean): Promise<void> {
    if (fits(this.messages)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ fits, resolve }));
  }

  /** Resolves at the next ping. */
  pinged(): Promise<void> {
    return new Promise((resolve) => this.#pinged.push(resolve));
  }

  /** Resolves when the gateway has read everything that was sent by now. */
  roundTrip(): Promise<void> {
    this.socket.write(masked(0x89, Buffer.alloc(0)));
    return new Promise((resolve) => this.#ponged.push(resolve));
  }

  #read(): void {
    if (this.status !== 101) return;
    for (;;) {
      const [first, second] = this.#buffered;
      if (first === undefined || second === undefined) return;
      const short = second & 0x7f;
      const header = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (this.#buffered.length < header) return;
      const length = short === 126 ? this.#buffered.readUInt16BE(2) : short === 127 ? Number(this.#buffered.readBigUInt64BE(2)) : short;
      if (this.#buffered.length < header + length) return;
      const payload = this.#buffered.subarray(header, header + length);
      this.#buffered = this.#buffered.subarray(header + length);
      this.#take(first & 0x0f, payload);
    }
  }

  #take(opcode: number, payload: Buffer): void {
    if (opcode === 1) this.messages.push(payload.toString());
    if (opcode === 8) this.closed = { code: payload.readUInt16BE(0), reason: payload.subarray(2).toString() };
    if (opcode === 9) for (const resolve of this.#pinged.splice(0)) resolve();
    if (opcode === 10) this.#ponged.shift()?.();
    if (opcode === 9 && this.answersPings) this.socket.write(masked(0x8a, payload));
    for (const waiting of [...this.#waiting]) {
      if (!waiting.fits(this.messages)) continue;
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      waiting.resolve();
    }
  }
}

/** A frame of a client with up to 125 bytes. */
export function masked(first: number, payload: Buffer): Buffer {
  const mask = randomBytes(4);
  const body = payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0));
  return Buffer.concat([Buffer.of(first, 0x80 | payload.length), mask, body]);
}
