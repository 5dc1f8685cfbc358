import { createLocalJWKSet, createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from 'jose';
import { MAX_KEY_SET_BYTES, problemOfKeySet } from './key-set.ts';
import type { WorkloadKeys } from './workload.ts';

const FETCH_MILLIS = 5000;
/** How long fetched keys are used, and how often at most a token with an unknown key has them fetched anew. */
const USE_MILLIS = 10 * 60 * 1000;
const FETCH_AGAIN_MILLIS = 30 * 1000;

/** What verifies tokens of an issuer. One for each configuration in force: it keeps what it fetched. */
export function verifyingKeys(keys: WorkloadKeys): JWTVerifyGetKey {
  if ('set' in keys) return createLocalJWKSet(keys.set);
  return createRemoteJWKSet(new URL(keys.url), {
    timeoutDuration: FETCH_MILLIS,
    cooldownDuration: FETCH_AGAIN_MILLIS,
    cacheMaxAge: USE_MILLIS,
    [customFetch]: fetchAtMost,
  });
}

/** A key set is small; an issuer that sends without end is not waited for. */
async function fetchAtMost(url: string, options: RequestInit): Promise<Response> {
  const response = await fetch(url, options);
  if (response.status !== 200 || response.body === null) return response;
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body as AsyncIterable<Uint8Array>) {
    length += part.length;
    if (length > MAX_KEY_SET_BYTES) throw new Error(`the answer has more than ${MAX_KEY_SET_BYTES} bytes`);
    parts.push(part);
  }
  const set: unknown = JSON.parse(Buffer.concat(parts).toString('utf8'));
  const problem = problemOfKeySet(set);
  if (problem !== undefined) throw new Error(problem);
  return Response.json(set);
}
