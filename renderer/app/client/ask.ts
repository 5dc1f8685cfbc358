import {
  type OperationInput,
  type OperationName,
  type OperationOutput,
  type OperationShape,
  operations,
  schemasOf,
} from '../../../contract/operator-api.ts';
import type { HostTransport } from '../host/host.ts';
import { Problem, problemOf, unreachable } from './problem.ts';

/** What a caller gives of an input: what has a default may be left out. */
export type Given<N extends OperationName> = Partial<OperationInput<N>>;

/** Asks the gateway for an operation of the table. Throws a Problem. */
export async function ask<N extends OperationName>(
  transport: HostTransport,
  name: N,
  given: Given<N>,
  { keepalive }: { readonly keepalive?: boolean } = {},
): Promise<OperationOutput<N>> {
  const { path, method, body } = requestOf(name, given);
  const headers = { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
  const answer = await transport
    .request(path, { method, headers, ...(body === undefined ? {} : { body }), ...(keepalive === undefined ? {} : { keepalive }) })
    .catch((thrown: unknown) => Promise.reject(thrown instanceof Problem ? thrown : unreachable()));
  const text = await answer.text().catch(() => Promise.reject(unreachable()));
  if (answer.status < 200 || answer.status >= 300) throw problemOf(answer.status, text);
  const read = schemasOf(name).output.safeParse(jsonOf(text));
  if (read.success) return read.data;
  const where = read.error.issues[0];
  throw new Problem(
    -1,
    'INTERNAL',
    `The gateway answered ${name} with something that this app does not know (${where?.path.join('.') ?? ''}: ${where?.message ?? 'no JSON'}).`,
    'App and gateway are of different versions: use the ones that belong together.',
  );
}

/** Members that stand in the path go there, the others into the query or the body. */
export function requestOf(
  name: OperationName,
  given: Readonly<Record<string, unknown>>,
): { path: string; method: 'GET' | 'POST'; body?: string } {
  const { http }: OperationShape = operations[name];
  if (http === undefined) throw new TypeError(`${name} is not asked for over HTTPS`);
  const [method, pattern = ''] = http.split(' ');
  const rest = new Map(Object.entries(given).filter(([, value]) => value !== undefined));
  const path = pattern.replaceAll(/\{(\w+)\}/g, (_, key: string) => {
    const value = rest.get(key);
    rest.delete(key);
    return encodeURIComponent(String(value));
  });
  if (method === 'POST') return { path, method, body: JSON.stringify(Object.fromEntries(rest)) };
  const query = new URLSearchParams([...rest].map(([key, value]): [string, string] => [key, String(value)]));
  return { path: query.size === 0 ? path : `${path}?${query}`, method: 'GET' };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
