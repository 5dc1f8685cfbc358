import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import type { Duplex } from 'node:stream';
import { MOST_ANSWER_BYTES } from '../../contract/desktop-bridge.ts';
import { DesktopError } from '../base/desktop-error.ts';
import { connectionFailure, connectPinned, type PinnedGateway, unreachable } from './pinned-connection.ts';

/** The gateway says `102 Processing` every five seconds while it is at work. */
const SILENCE_MILLIS = 20_000;
/** The gateway gives one address only so many connections, and WebSockets take some. */
const MOST_CONNECTIONS = 6;
/** Requests that wait for a connection or an answer; more than a page ever asks at once. */
const MOST_WAITING = 256;

export interface Asked {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string | undefined;
  readonly token?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Every connection that it makes is to the one certificate, before a request is written on it. */
class PinnedAgent extends Agent {
  readonly #gateway: PinnedGateway;

  constructor(gateway: PinnedGateway, keepAlive: boolean) {
    super({ keepAlive, maxSockets: MOST_CONNECTIONS, maxFreeSockets: 2, timeout: SILENCE_MILLIS });
    this.#gateway = gateway;
  }

  override createConnection(_options: unknown, made: (error: Error | null, socket: Duplex) => void): undefined {
    connectPinned(this.#gateway).then(
      (socket) => made(null, socket),
      // Node looks at the error first.
      (error: unknown) => made(error as Error, undefined as unknown as Duplex),
    );
  }
}

/** Requests to one gateway over connections that are kept. */
export class PinnedClient {
  readonly gateway: PinnedGateway;
  readonly #agent: PinnedAgent;
  #waiting = 0;

  constructor(gateway: PinnedGateway) {
    this.gateway = gateway;
    this.#agent = new PinnedAgent(gateway, true);
  }

  /** An answer in full, whatever its status. Throws GATEWAY_UNREACHABLE and GATEWAY_MISMATCH. */
  async ask(asked: Asked): Promise<Answer> {
    if (this.#waiting >= MOST_WAITING)
      throw new DesktopError('GATEWAY_UNREACHABLE', `${MOST_WAITING} requests wait for the gateway already`, {
        remedy: 'see whether it answers at all',
      });
    this.#waiting += 1;
    try {
      const { response } = await this.begin(asked);
      const body = await this.#read(response);
      return { status: response.statusCode ?? 0, headers: singleHeaders(response), body };
    } finally {
      this.#waiting -= 1;
    }
  }

  /** The beginning of an answer; the caller reads what follows, or destroys it. */
  async begin(asked: Asked): Promise<{ readonly response: IncomingMessage }> {
    for (let again = asked.method === 'GET' ? MOST_CONNECTIONS : 0; ; again -= 1) {
      try {
        return await this.#send(asked);
      } catch (thrown) {
        // The gateway had closed a connection that was kept, as this was written to it.
        if (thrown instanceof StaleConnection && again > 0) continue;
        throw connectionFailure(this.gateway.origin, thrown instanceof StaleConnection ? thrown.cause : thrown);
      }
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #send({ method, path, headers = {}, body, token, signal }: Asked): Promise<{ readonly response: IncomingMessage }> {
    const { origin } = this.gateway;
    // What changes something goes over a connection of its own, so that nobody need guess whether it arrived.
    const agent = method === 'GET' ? this.#agent : new PinnedAgent(this.gateway, false);
    return new Promise((resolve, reject) => {
      const sent: ClientRequest = request({
        method,
        path,
        agent,
        timeout: SILENCE_MILLIS,
        ...(signal === undefined ? {} : { signal }),
        headers: {
          accept: 'application/json',
          ...withoutMissing(headers),
          host: new URL(origin).host,
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
        },
      });
      sent.on('timeout', () => sent.destroy(unreachable(origin, `has not answered for ${SILENCE_MILLIS / 1000} seconds`)));
      sent.on('error', (error: NodeJS.ErrnoException) => {
        const stale = sent.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
        reject(stale ? new StaleConnection(error) : error);
      });
      sent.on('response', (response: IncomingMessage) => resolve({ response }));
      sent.end(body);
    });
  }

  async #read(response: IncomingMessage): Promise<string> {
    const pieces: Buffer[] = [];
    let length = 0;
    try {
      for await (const piece of response as AsyncIterable<Buffer>) {
        length += piece.length;
        if (length > MOST_ANSWER_BYTES) throw unreachable(this.gateway.origin, `answers with more than ${MOST_ANSWER_BYTES} bytes`);
        pieces.push(piece);
      }
    } catch (thrown) {
      throw connectionFailure(this.gateway.origin, thrown);
    }
    // Bytes that are no text, the tiles of the ledger, come as characters of the same numbers: nothing of them is lost.
    const encoding = response.headers['content-type'] === 'application/octet-stream' ? 'latin1' : 'utf8';
    return Buffer.concat(pieces, length).toString(encoding);
  }
}

class StaleConnection extends Error {
  constructor(cause: unknown) {
    super('a connection that was kept is over', { cause });
    this.name = 'StaleConnection';
  }
}

function withoutMissing(headers: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function singleHeaders({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])));
}
