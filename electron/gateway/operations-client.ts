import {
  type OperationInput,
  type OperationName,
  type OperationOutput,
  type OperationShape,
  operations,
  schemasOf,
} from '../../contract/operator-api.ts';
import { refusalIn } from '../base/desktop-error.ts';
import type { PinnedClient } from './pinned-client.ts';
import { unreachable } from './pinned-connection.ts';

/** Asks the gateway for an operation. Throws what it answered, GATEWAY_UNREACHABLE and GATEWAY_MISMATCH. */
export async function askOperation<N extends OperationName>(
  client: PinnedClient,
  name: N,
  input: OperationInput<N>,
  { token, signal }: { readonly token?: string | undefined; readonly signal?: AbortSignal } = {},
): Promise<OperationOutput<N>> {
  const { method, path, body } = requestOf(name, input);
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  const answer = await client.ask({ method, path, headers, body, token, signal });
  if (answer.status !== 200) throw refusalIn(answer.body, answer.status);
  let value: unknown;
  try {
    value = JSON.parse(answer.body);
  } catch (error) {
    throw unreachable(client.gateway.origin, 'gave an answer that is not JSON', error);
  }
  const output = schemasOf(name).output.safeParse(value);
  if (output.success) return output.data;
  throw unreachable(client.gateway.origin, 'gave an answer that this app does not understand; one of the two is older', output.error);
}

function requestOf(name: OperationName, input: object): { method: 'GET' | 'POST' | 'DELETE'; path: string; body: string | undefined } {
  const { http }: OperationShape = operations[name];
  if (http === undefined) throw new TypeError(`${name} is not asked for over HTTPS`);
  const [method, pattern] = http.split(' ') as ['GET' | 'POST' | 'DELETE', string];
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
