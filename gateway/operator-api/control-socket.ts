import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, lstat, readdir, rename, unlink } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isOperation } from '../../contract/operator-api.ts';
import type { Actor } from '../../contract/record.ts';
import { asSallyportError, SallyportError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { authorise } from './authorise.ts';
import { METRICS_PATH, METRICS_TYPE } from './metrics.ts';
import { type Performers, perform } from './operations.ts';
import { PROBLEM_TYPE, problemOf } from './problem.ts';
import { CONTROL_SOCKET, withSocketPath } from './socket-path.ts';

/** Headers in which a command says what it is and who runs it. */
export const VERSION_HEADER = 'sallyport-version';
export const USER_HEADER = 'sallyport-user';
export const OPERATIONS_PATH = '/operations/';

const SECOND = 1000;
/** A request that has not arrived whole by then is given up. */
const REQUEST_MILLIS = 10 * SECOND;
/** While an operation takes its time, its client hears this often that it goes on. */
const SIGN_OF_LIFE_MILLIS = SECOND;
/** What operations have for ending when the gateway stops. */
const CLOSE_MILLIS = 10 * SECOND;
const MAX_BODY_BYTES = 1024 * 1024;
const MAX_CONNECTIONS = 128;

export interface ControlSocketParts {
  readonly performers: Partial<Performers>;
  readonly version: string;
  readonly log: Log;
  /** For `curl --unix-socket` and whatever else collects them on this machine. */
  readonly metrics?: () => string;
}

export interface ControlSocket {
  /** Takes no more; what is at work is told to end, and is waited for. */
  close(): Promise<void>;
}

/**
 * Answers `POST /operations/NAME` on a Unix socket in the data directory, which only the gateway's own user and root can
 * open. To be called by whoever holds the lock of the directory: a socket that is there already is then of the past.
 *
 * Its HTTP is Node's own: gateways without an HTTPS listener never load more.
 */
export async function openControlSocket(dataDirectory: string, parts: ControlSocketParts): Promise<ControlSocket> {
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();
  const server = createServer(
    { maxHeaderSize: 8192, requestTimeout: REQUEST_MILLIS, headersTimeout: REQUEST_MILLIS, connectionsCheckingInterval: SECOND },
    (request, response) => {
      const work = answer(request, response, parts, stopping.signal).finally(() => running.delete(work));
      running.add(work);
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  const path = join(dataDirectory, CONTROL_SOCKET);
  await bind(server, dataDirectory, path);
  server.on('error', (error) => parts.log.error({ error: error.message }, 'the control socket failed to accept'));
  const { ino } = await lstat(path);
  return {
    close: async () => {
      server.close();
      stopping.abort();
      const patience = AbortSignal.timeout(CLOSE_MILLIS);
      await Promise.race([Promise.all(running), once(patience, 'abort')]);
      server.closeAllConnections();
      const there = await lstat(path).catch(() => undefined);
      if (there?.ino === ino) await unlink(path);
    },
  };
}

/**
 * Bound in `keys/`, which is closed to others, and moved to its place when it is closed itself: there is no moment at
 * which somebody else could connect, and none at which a stale socket is gone and the new one not yet there.
 */
async function bind(server: Server, dataDirectory: string, path: string): Promise<void> {
  const keys = join(dataDirectory, 'keys');
  const name = `${CONTROL_SOCKET}.${randomBytes(6).toString('hex')}`;
  try {
    await removeUnfinished(keys);
    await withSocketPath(keys, name, async (short) => {
      server.listen(short);
      await once(server, 'listening');
    });
    await chmod(join(keys, name), 0o600);
    await rename(join(keys, name), path);
  } catch (error) {
    server.close();
    throw new SallyportError('DATA_DIRECTORY_INVALID', `The control socket ${path} cannot be made: ${asSallyportError(error).message}`, {
      remedy: 'remove what stands in its place, and keep the data directory on a local file system that knows sockets',
      cause: error,
    });
  }
}

/** Of a gateway that was killed between the two steps. */
async function removeUnfinished(keys: string): Promise<void> {
  const names = await readdir(keys);
  for (const name of names.filter((each) => each.startsWith(`${CONTROL_SOCKET}.`))) await unlink(join(keys, name));
}

/** Never rejects. */
async function answer(request: IncomingMessage, response: ServerResponse, parts: ControlSocketParts, stopping: AbortSignal): Promise<void> {
  // Clients come and go; what an operation has begun goes on without them.
  response.on('error', () => undefined);
  const signsOfLife = setInterval(() => {
    if (!response.headersSent && response.writable) response.writeProcessing();
  }, SIGN_OF_LIFE_MILLIS);
  try {
    if (request.method === 'GET' && request.url === METRICS_PATH && parts.metrics !== undefined) {
      respond(response, 200, METRICS_TYPE, parts.metrics());
      return;
    }
    const output = await operate(request, parts, stopping);
    respond(response, 200, 'application/json', output);
  } catch (thrown) {
    const { code, message } = asSallyportError(thrown);
    if (code === 'INTERNAL') parts.log.error({ code, err: thrown }, `an operation failed: ${message}`);
    const problem = problemOf(thrown);
    respond(response, problem.status, PROBLEM_TYPE, problem);
  } finally {
    clearInterval(signsOfLife);
  }
}

async function operate(
  request: IncomingMessage,
  { performers, version, log }: ControlSocketParts,
  stopping: AbortSignal,
): Promise<unknown> {
  const asking = request.headers[VERSION_HEADER];
  if (asking !== version) {
    throw new SallyportError('GATEWAY_MISMATCH', `the gateway is version ${version}, and this command is ${quotedHeader(asking)}`, {
      remedy: 'restart the gateway after an upgrade, or use the command of its version',
    });
  }
  const name = request.url?.startsWith(OPERATIONS_PATH) === true ? request.url.slice(OPERATIONS_PATH.length) : '';
  if (!isOperation(name)) throw new SallyportError('NOT_FOUND', `there is no operation ${quotedHeader(name)}`);
  if (request.method !== 'POST') throw new SallyportError('REQUEST_INVALID', 'operations are asked for with POST');
  authorise(name, { via: 'socket' });
  const actor = actorOf(request.headers[USER_HEADER]);
  const input = await jsonBody(request);
  if (stopping.aborted) throw new SallyportError('GATEWAY_DRAINING', 'the gateway is shutting down', { remedy: 'try again in a moment' });
  log.info({ operation: name, principal: actor.principal }, 'an operation was asked for on the control socket');
  return perform(performers, name, input, { via: 'socket' }, { actor, signal: stopping });
}

/**
 * Whoever can open the socket is the gateway's user or root, and could write to the database directly; which of the two
 * it is, and on whose behalf, is what the command says.
 */
function actorOf(user: string | string[] | undefined): Actor {
  if (typeof user !== 'string' || !/^[\p{L}\p{N}._@+$\\-]{1,128}$/u.test(user))
    throw new SallyportError('REQUEST_INVALID', `the header ${USER_HEADER} does not name a user`);
  return localUser(user);
}

/** The actor of what somebody asks for on the gateway's own machine. */
export function localUser(name: string): Actor {
  return { principal: name, kind: 'human', authentication: { method: 'local-user' }, source: hostname() };
}

async function jsonBody(request: IncomingMessage): Promise<unknown> {
  const body = await wholeBody(request);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    throw new SallyportError('REQUEST_INVALID', 'the body is not JSON', { cause: error });
  }
}

async function wholeBody(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  try {
    for await (const piece of request as AsyncIterable<Buffer>) {
      length += piece.length;
      if (length > MAX_BODY_BYTES) throw new SallyportError('REQUEST_INVALID', `an operation takes at most ${MAX_BODY_BYTES} bytes`);
      pieces.push(piece);
    }
  } catch (error) {
    if (error instanceof SallyportError) throw error;
    throw new SallyportError('REQUEST_INVALID', 'the request was broken off', { cause: error });
  }
  return Buffer.concat(pieces);
}

function respond(response: ServerResponse, status: number, type: string, body: unknown): void {
  if (!response.writable) return;
  response.writeHead(status, { 'content-type': type, connection: 'close' });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

function quotedHeader(value: string | string[] | undefined): string {
  return value === undefined ? 'of an unknown one' : JSON.stringify(String(value).slice(0, 60));
}
