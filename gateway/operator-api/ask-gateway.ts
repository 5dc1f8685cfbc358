import { lstat } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { type ErrorCode, errorCodes } from '../../contract/error-codes.ts';
import { type OperationInput, type OperationName, type OperationOutput, schemasOf } from '../../contract/operator-api.ts';
import { asSallyportError, SallyportError } from '../base/errors.ts';
import { OPERATIONS_PATH, USER_HEADER, VERSION_HEADER } from './control-socket.ts';
import { CONTROL_SOCKET, withSocketPath } from './socket-path.ts';

/** A gateway gives a sign of life every second; one that is silent for so long has stopped or hangs. */
const SILENCE_MILLIS = 15_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export interface AskedAs {
  readonly user: string;
  readonly version: string;
  /** Milliseconds without a sign of life. */
  readonly patience?: number;
}

/**
 * Has the gateway that runs on a data directory perform an operation. Undefined when none listens there. Throws what the
 * gateway answered, or GATEWAY_UNREACHABLE when it did not.
 */
export async function askGateway<N extends OperationName>(
  dataDirectory: string,
  name: N,
  input: OperationInput<N>,
  as: AskedAs,
): Promise<{ readonly output: OperationOutput<N> } | undefined> {
  const directory = resolve(dataDirectory);
  if (!(await isOurs(directory))) return undefined;
  const answer = await withSocketPath(directory, CONTROL_SOCKET, (path) => send(path, name, JSON.stringify(input), as, directory));
  if (answer === undefined) return undefined;
  const { status, body } = answer;
  if (status !== 200) throw errorIn(body, status);
  const output = schemasOf(name).output.safeParse(body);
  if (!output.success) throw unreachable(directory, 'gave an answer that this command does not understand', output.error);
  return { output: output.data };
}

/** Whether a gateway has its control socket open there. */
export function somebodyListens(dataDirectory: string): Promise<boolean> {
  return withSocketPath(resolve(dataDirectory), CONTROL_SOCKET, (path) => {
    return new Promise((resolve) => {
      const socket = connect(path);
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('close', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
  });
}

/** Nobody but the owner of the data is asked: another user's socket in its place would be told what the gateway is asked. */
async function isOurs(directory: string): Promise<boolean> {
  const path = join(directory, CONTROL_SOCKET);
  try {
    const [socket, owner] = await Promise.all([lstat(path), lstat(join(directory, 'keys'))]);
    if (socket.isSocket() && (socket.uid === owner.uid || socket.uid === 0)) return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw denied(directory, error);
  }
  throw new SallyportError('DATA_DIRECTORY_INVALID', `${path} is not the control socket of a gateway`, {
    remedy: 'find out who put it there, and remove it',
  });
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

function send(path: string, name: OperationName, body: string, as: AskedAs, directory: string): Promise<Answer | undefined> {
  const patience = as.patience ?? SILENCE_MILLIS;
  return new Promise((resolve, reject) => {
    let connected = false;
    const asked = httpRequest({
      socketPath: path,
      method: 'POST',
      path: `${OPERATIONS_PATH}${name}`,
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        connection: 'close',
        [VERSION_HEADER]: as.version,
        [USER_HEADER]: as.user,
      },
      timeout: patience,
      agent: false,
    });
    asked.on('socket', (socket) => socket.once('connect', () => (connected = true)));
    // It counts anew with every byte that arrives.
    asked.on('timeout', () => asked.destroy(unreachable(directory, `has not answered for ${patience / 1000} seconds`)));
    asked.on('error', (error: NodeJS.ErrnoException) => {
      if (error instanceof SallyportError) reject(error);
      else if (!connected && (error.code === 'ECONNREFUSED' || error.code === 'ENOENT')) resolve(undefined);
      else if (error.code === 'EACCES' || error.code === 'EPERM') reject(denied(directory, error));
      else reject(unreachable(directory, `ended the connection before it answered (${error.code ?? error.message})`, error));
    });
    asked.on('response', (response) => {
      readAll(response)
        .then(
          (text) => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as unknown }),
          (error: unknown) => reject(unreachable(directory, `broke off its answer (${asSallyportError(error).message})`, error)),
        )
        .catch((error: unknown) => reject(unreachable(directory, 'gave an answer that is not JSON', error)));
    });
    asked.end(body);
  });
}

export async function readAll(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > MAX_ANSWER_BYTES) throw new Error('it is too long');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** The gateway's own error, as if it had been thrown here. */
export function errorIn(problem: unknown, status: number): SallyportError {
  const { code, detail, remedy } = (typeof problem === 'object' && problem !== null ? problem : {}) as Record<string, unknown>;
  const known = errorCodes.find((candidate): candidate is ErrorCode => candidate === code) ?? 'INTERNAL';
  const message = typeof detail === 'string' ? detail : `the gateway answered with the status ${status}`;
  return new SallyportError(known, message, typeof remedy === 'string' ? { remedy } : {});
}

function denied(directory: string, cause: unknown): SallyportError {
  return new SallyportError('DATA_DIRECTORY_INVALID', `The gateway on ${directory} may be asked by its own user and by root only`, {
    remedy: 'run this as one of the two',
    cause,
  });
}

function unreachable(directory: string, what: string, cause?: unknown): SallyportError {
  return new SallyportError('GATEWAY_UNREACHABLE', `The gateway on ${directory} ${what}`, {
    remedy: 'look at its log; whether it did what was asked stands in its records',
    ...(cause === undefined ? {} : { cause }),
  });
}
