import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import {
  type OperationInput,
  type OperationName,
  type OperationOutput,
  type OperationShape,
  operations,
  schemasOf,
} from '../../contract/operator-api.ts';
import { asSallyportError, SallyportError } from '../base/errors.ts';
import { errorIn, readAll } from '../operator-api/ask-gateway.ts';
import { SYSTEM_TRUST } from './kept-log-ins.ts';

/** The gateway says `102 Processing` every five seconds while it is at work. */
const SILENCE_MILLIS = 20_000;
const CONNECT_MILLIS = 10_000;
const DEFAULT_PORT = 7443;

/** A gateway's address, and how its certificate is known. */
export interface ReachedGateway {
  readonly url: string;
  /** SHA-256 of the certificate as browsers write it, or `system`. */
  readonly trust: string;
}

/** `https://HOST:PORT` without anything behind it. A name alone stands for the usual port. */
export function gatewayUrl(text: string): string {
  const whole = text.includes('://') ? text : `https://${text}${/:\d+$/.test(text) ? '' : `:${DEFAULT_PORT}`}`;
  const url = URL.canParse(whole) ? new URL(whole) : undefined;
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '' || url.pathname !== '/' || url.search !== '')
    throw new SallyportError('USAGE', `${text} is not the address of a gateway`, {
      remedy: `write it as https://bastion.example.com:${DEFAULT_PORT}`,
    });
  return url.origin;
}

/** What a server shows before anything is said to it. */
export interface Shown {
  readonly socket: TLSSocket;
  /** SHA-256 as browsers write it. */
  readonly fingerprint: string;
  /** Whether the system's authorities vouch for it, under this name. */
  readonly vouchedFor: boolean;
}

export function lookAt(url: string): Promise<Shown> {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port: Number(port === '' ? 443 : port),
      // RFC 6066 section 3: an address is no name.
      ...(isIP(host) === 0 ? { servername: host } : {}),
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      timeout: CONNECT_MILLIS,
    });
    const failed = (why: string, cause?: unknown): void => {
      socket.destroy();
      reject(unreachable(url, why, cause));
    };
    socket.once('timeout', () => failed('does not answer'));
    socket.once('error', (error: NodeJS.ErrnoException) => failed(`cannot be reached (${error.code ?? error.message})`, error));
    socket.once('secureConnect', () => {
      const { fingerprint256 } = socket.getPeerCertificate();
      socket
        .removeAllListeners('timeout')
        .removeAllListeners('error')
        .on('error', () => undefined);
      if (fingerprint256 === undefined) failed('shows no certificate');
      else resolve({ socket, fingerprint: fingerprint256, vouchedFor: socket.authorized });
    });
  });
}

/** Nothing is sent, least of all a token, before the certificate is known. Throws GATEWAY_MISMATCH when it is another one. */
export async function connectKnown({ url, trust }: ReachedGateway): Promise<Shown> {
  const shown = await lookAt(url);
  if (trust === SYSTEM_TRUST ? shown.vouchedFor : shown.fingerprint === trust) return shown;
  shown.socket.destroy();
  const what =
    trust === SYSTEM_TRUST
      ? `no authority of this system vouches for the certificate of ${url} (SHA-256 ${shown.fingerprint})`
      : `${url} shows another certificate than when you logged in: SHA-256 ${shown.fingerprint}`;
  throw new SallyportError('GATEWAY_MISMATCH', what, {
    remedy: `somebody may stand between; if the gateway has a new certificate (it prints its SHA-256 at its start), log in again with --fingerprint`,
  });
}

export interface AskedOverHttps {
  readonly gateway: ReachedGateway;
  readonly token?: string;
}

/** Throws what the gateway answered, GATEWAY_UNREACHABLE when it did not, and GATEWAY_MISMATCH when it is another one. */
export async function askOverHttps<N extends OperationName>(
  { gateway, token }: AskedOverHttps,
  name: N,
  input: OperationInput<N>,
): Promise<{ readonly output: OperationOutput<N>; readonly fingerprint: string }> {
  const { method, path, body } = requestOf(name, input);
  const { socket, fingerprint } = await connectKnown(gateway);
  const { status, text } = await exchange(socket, gateway.url, method, path, body, token);
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (error) {
    throw unreachable(gateway.url, 'gave an answer that is not JSON', error);
  }
  if (status !== 200) throw errorIn(answer, status);
  const output = schemasOf(name).output.safeParse(answer);
  if (!output.success)
    throw unreachable(gateway.url, 'gave an answer that this command does not understand; one of the two is older', output.error);
  return { output: output.data, fingerprint };
}

function requestOf(name: OperationName, input: object): { method: string; path: string; body: string | undefined } {
  const { http }: OperationShape = operations[name];
  if (http === undefined) throw new TypeError(`${name} is not asked for over HTTPS`);
  const [method = '', pattern = ''] = http.split(' ');
  const left = new Map(Object.entries(input).filter(([, value]) => value !== undefined));
  const path = pattern.replaceAll(/\{(\w+)\}/g, (_, member: string) => {
    const value = String(left.get(member));
    left.delete(member);
    return encodeURIComponent(value);
  });
  if (method === 'POST') return { method, path, body: JSON.stringify(Object.fromEntries(left)) };
  const query = new URLSearchParams([...left].map(([key, value]): [string, string] => [key, String(value)])).toString();
  return { method, path: query === '' ? path : `${path}?${query}`, body: undefined };
}

function exchange(
  socket: TLSSocket,
  url: string,
  method: string,
  path: string,
  body: string | undefined,
  token: string | undefined,
): Promise<{ status: number; text: string }> {
  const { host } = new URL(url);
  return new Promise((resolve, reject) => {
    const asked = request({
      method,
      path,
      // Without an agent, which would make a connection of its own.
      createConnection: () => socket,
      timeout: SILENCE_MILLIS,
      headers: {
        host,
        accept: 'application/json',
        connection: 'close',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      },
    });
    asked.on('timeout', () => asked.destroy(unreachable(url, `has not answered for ${SILENCE_MILLIS / 1000} seconds`)));
    asked.on('error', (error: NodeJS.ErrnoException) =>
      reject(
        error instanceof SallyportError
          ? error
          : unreachable(url, `ended the connection before it answered (${error.code ?? error.message})`, error),
      ),
    );
    asked.on('response', (response: IncomingMessage) => {
      readAll(response).then(
        (text) => resolve({ status: response.statusCode ?? 0, text }),
        (error: unknown) => reject(unreachable(url, `broke off its answer (${asSallyportError(error).message})`, error)),
      );
    });
    asked.end(body);
  });
}

function unreachable(url: string, what: string, cause?: unknown): SallyportError {
  return new SallyportError('GATEWAY_UNREACHABLE', `The gateway ${url} ${what}`, {
    remedy: 'see that it runs and that this is its address for HTTPS',
    ...(cause === undefined ? {} : { cause }),
  });
}
