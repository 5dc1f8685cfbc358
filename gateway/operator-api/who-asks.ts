import { isIP } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Actor } from '../../contract/record.ts';
import { SallyportError } from '../base/errors.ts';
import type { LoggedIn } from './authorise.ts';
import type { LogIns } from './log-ins.ts';
import { Refusal } from './problem.ts';
import type { RefusedLogIns } from './refused-log-ins.ts';

/** `__Host-`: only from this host, over TLS, for all of it (RFC 6265bis section 4.1.3.2). */
export const COOKIE = '__Host-sallyport';

const attributes = 'Path=/; Secure; HttpOnly; SameSite=Strict';

/** What sets the cookie, and what takes it away. */
export function loginCookie(token: string, expires: Date): string {
  return `${COOKIE}=${token}; ${attributes}; Expires=${expires.toUTCString()}`;
}
export const forgottenCookie = `${COOKIE}=; ${attributes}; Max-Age=0`;

export interface DoorParts {
  readonly logIns: LogIns;
  readonly refused: RefusedLogIns;
  /** Whether clients may call this gateway by this name or address. */
  readonly isOwnName: (host: string) => boolean;
}

export interface WhoAsks {
  readonly operator?: LoggedIn;
  readonly actor: Actor;
}

/** What a request shows of who sends it. */
export class Door {
  readonly #parts: DoorParts;

  constructor(parts: DoorParts) {
    this.#parts = parts;
  }

  /**
   * The log-in of a request; without `operator` when it shows none that is good. Throws when a browser was made to send it
   * by a page of somebody else, and when its source guesses tokens. What anyone may ask for is no guess: a browser shows its
   * old cookie when it logs in again, too.
   */
  async whoAsks(request: FastifyRequest, reply: FastifyReply, anyoneMay = false): Promise<WhoAsks> {
    const { headers } = request;
    const source = sourceOf(request);
    const cookie = cookieIn(headers.cookie);
    this.#requireOwnPage(request, cookie !== undefined);
    const bearer = bearerIn(headers.authorization);
    const token = bearer ?? cookie;
    if (token === undefined) return nobodyFrom(source);
    const operator = this.#parts.logIns.find(token);
    if (operator === undefined) {
      if (anyoneMay) return nobodyFrom(source);
      // Or the browser would go on to show it.
      if (bearer === undefined) reply.header('set-cookie', forgottenCookie);
      await this.#parts.refused.token(source);
      return nobodyFrom(source);
    }
    return { operator, actor: actorOf(operator, source) };
  }

  /** Whether a request names this gateway as it is called. */
  isCalledByItsName({ headers, raw }: FastifyRequest): boolean {
    const name = hostIn(headers.host ?? '');
    return name !== undefined && (this.#parts.isOwnName(name) || isSameAddress(name, raw.socket.localAddress));
  }

  /** The same once the body has come: its sender may have kept it back until the log-in was ended, or lost a role. */
  stillAsks(who: WhoAsks): WhoAsks {
    if (who.operator === undefined) return who;
    const operator = this.#parts.logIns.stillGood(who.operator.token);
    return operator === undefined ? nobodyFrom(who.actor.source) : { operator, actor: who.actor };
  }

  /**
   * A browser sends a cookie along with whatever any page asks of us, and resolves names as their owner wants it (DNS
   * rebinding). It always says for which page it asks, so what it was made to send is told apart; programs say nothing.
   */
  #requireOwnPage(request: FastifyRequest, cookie: boolean): void {
    const { method, headers } = request;
    const { origin, host = '' } = headers;
    const isBrowser = cookie || origin !== undefined || headers['sec-fetch-site'] !== undefined;
    if (!isBrowser) return;
    if (!this.isCalledByItsName(request)) {
      throw new Refusal(
        421,
        new SallyportError('REQUEST_INVALID', `this gateway is not called ${host.slice(0, 100)}`, {
          remedy: 'use a name that stands in its certificate',
        }),
      );
    }
    const changes = (method !== 'GET' && method !== 'HEAD') || headers.upgrade !== undefined;
    const fromHere = origin?.toLowerCase() === `https://${host.toLowerCase()}`;
    if (origin === undefined ? !(cookie && changes) : fromHere) return;
    throw new Refusal(
      403,
      new SallyportError('REQUEST_INVALID', 'a page of another origin may not ask for this in the name of its visitor', {
        remedy: 'programs send the token as Authorization: Bearer, and no cookie',
      }),
    );
  }
}

/** `address:port` of the client. */
export function sourceOf({ raw: { socket } }: FastifyRequest): string {
  const address = socket.remoteAddress ?? 'unknown';
  return `${isIP(address) === 6 ? `[${address}]` : address}:${socket.remotePort ?? 0}`;
}

function nobodyFrom(source: string): WhoAsks {
  return { actor: { principal: 'unknown', kind: 'unknown', source } };
}

export function actorOf({ name, authentication }: LoggedIn, source: string): Actor {
  return { principal: name, kind: 'human', authentication, source };
}

function bearerIn(header: string | undefined): string | undefined {
  return /^Bearer +(\S{1,256})$/i.exec(header ?? '')?.[1];
}

function cookieIn(header: string | undefined): string | undefined {
  for (const pair of header?.split(';') ?? []) {
    const [name, ...value] = pair.trim().split('=');
    if (name === COOKIE) return value.join('=').slice(0, 256);
  }
  return undefined;
}

/** Without the port and the brackets of an IPv6 address. */
function hostIn(header: string): string | undefined {
  return /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::\d{1,5})?$/
    .exec(header)
    ?.slice(1)
    .find((part) => part !== undefined)
    ?.toLowerCase();
}

function isSameAddress(name: string, own: string | undefined): boolean {
  return isIP(name) !== 0 && own !== undefined && (own === name || own === `::ffff:${name}`);
}
