import { readFileSync, writeFileSync } from 'node:fs';
import { request as plainRequest } from 'node:http';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { type OperationName, type OperationShape, operations } from '../../contract/operator-api.ts';
import { version } from '../../gateway/version.ts';
import { type KeyPair, makeKey } from '../support/keys.ts';
import { run } from '../support/run.ts';

/** A program that speaks HTTPS with the gateway, written from docs/operator-api.md. */

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** Undefined where the answer is not JSON. */
  readonly body: Record<string, unknown>;
}

export interface Asked {
  readonly method?: string;
  readonly path: string;
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Sent as it is, instead of `body` as JSON. */
  readonly raw?: string | Buffer;
}

export interface Reached {
  readonly httpsPort: number;
  readonly data: string;
}

const agents = new Map<number, Agent>();

export function send({ httpsPort, data }: Reached, { method = 'GET', path, token, headers, body, raw }: Asked): Promise<Answer> {
  const agent = agents.get(httpsPort) ?? new Agent({ keepAlive: true, maxSockets: 8 });
  agents.set(httpsPort, agent);
  return new Promise((resolve, reject) => {
    const content = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const asked = request(
      {
        host: '127.0.0.1',
        servername: 'localhost',
        port: httpsPort,
        path,
        method,
        agent,
        ca: readFileSync(join(data, 'keys', 'https.crt')),
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(content === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(content)) }),
          ...headers,
        },
      },
      (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('error', reject);
        response.on('end', () => resolve(answerOf(response.statusCode ?? 0, response.headers, pieces)));
      },
    );
    asked.on('error', reject);
    asked.end(content);
  });
}

/** An operation by its name: members that stand in the path go there, the others into the query or the body. */
export function ask(gateway: Reached, name: OperationName, input: Record<string, unknown>, rest: Partial<Asked> = {}): Promise<Answer> {
  const { http }: OperationShape = operations[name];
  if (http === undefined) throw new Error(`${name} has no address`);
  const [method = '', pattern = ''] = http.split(' ');
  const left = { ...input };
  const path = pattern.replaceAll(/\{(\w+)\}/g, (_, member: string) => {
    const value = String(left[member]);
    delete left[member];
    return encodeURIComponent(value);
  });
  if (method === 'POST') return send(gateway, { method, path, body: left, ...rest });
  const query = new URLSearchParams(Object.entries(left).map(([key, value]): [string, string] => [key, String(value)])).toString();
  return send(gateway, { method, path: query === '' ? path : `${path}?${query}`, ...rest });
}

/** The same on the control socket, as the local user. */
export function askOnSocket({ data }: Reached, name: OperationName, input: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = plainRequest(
      {
        socketPath: join(data, 'control.sock'),
        method: 'POST',
        path: `/operations/${name}`,
        headers: { 'sallyport-version': version, 'sallyport-user': 'engineer', 'content-type': 'application/json' },
      },
      (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('error', reject);
        response.on('end', () => resolve(answerOf(response.statusCode ?? 0, response.headers, pieces)));
      },
    );
    asked.on('error', reject);
    asked.end(JSON.stringify(input));
  });
}

function answerOf(status: number, headers: Answer['headers'], pieces: readonly Buffer[]): Answer {
  const text = Buffer.concat(pieces).toString();
  const isJson = /json/.test(String(headers['content-type']));
  return { status, headers, text, body: isJson && text !== '' ? (JSON.parse(text) as Record<string, unknown>) : {} };
}

/** Signs as an operator does by hand. */
export async function sign(key: KeyPair, text: string, namespace = 'sallyport-login'): Promise<string> {
  const file = `${key.path}.${Math.random().toString(36).slice(2)}`;
  writeFileSync(file, text);
  const { status, stderr } = await run('ssh-keygen', ['-q', '-Y', 'sign', '-f', key.path, '-n', namespace, file]);
  if (status !== 0) throw new Error(`ssh-keygen could not sign: ${stderr}`);
  return readFileSync(`${file}.sig`, 'utf8');
}

/** Asks for a challenge and signs it; what comes of it is the caller's to look at. */
export async function tryLogIn(
  gateway: Reached,
  operator: string,
  key: KeyPair,
  more: Partial<Asked> & { cookie?: boolean } = {},
): Promise<Answer> {
  const { cookie, ...rest } = more;
  const { body } = await ask(gateway, 'login.challenge', { operator });
  const challenge = String(body.challenge);
  return ask(gateway, 'login.ssh', { challenge, signature: await sign(key, challenge), ...(cookie === true ? { cookie } : {}) }, rest);
}

export async function logIn(gateway: Reached, operator: string, key: KeyPair): Promise<string> {
  const { status, text, body } = await tryLogIn(gateway, operator, key);
  if (status !== 200) throw new Error(`${operator} could not log in: ${text}`);
  return String(body.token);
}

/** Humans with these roles, each with a key. */
export async function makeOperators(directory: string, roles: Readonly<Record<string, readonly string[]>>) {
  const keys: Record<string, KeyPair> = {};
  for (const name of Object.keys(roles)) keys[name] = await makeKey(directory, name);
  const humans = Object.entries(roles).map(([name, operator]) => ({ name, operator, 'ssh-keys': [keys[name]?.publicLine] }));
  return { humans, keyOf: (name: string): KeyPair => keys[name] ?? (Promise.reject(new Error(`nobody is named ${name}`)) as never) };
}
