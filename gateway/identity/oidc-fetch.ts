import { SallyportError } from '../base/errors.ts';

/*
 * Asking an identity provider something. It is configured, and still a stranger: it may be down, slow, replaced by a
 * captive portal or endless. Whatever it does, a request costs a bounded time and a bounded memory.
 */

export interface OidcRequest {
  readonly method?: string;
  readonly headers?: Headers | Record<string, string>;
  readonly body?: NonNullable<RequestInit['body']>;
  readonly signal?: AbortSignal;
}

export type OidcFetch = (address: string, request: OidcRequest) => Promise<Response>;

export interface OidcFetchLimits {
  /** For all of it: connecting, waiting and reading. */
  readonly millis: number;
  /** Of a body, after decompression. */
  readonly bytes: number;
}

const KiB = 1024;
const usualLimits: OidcFetchLimits = { millis: 5000, bytes: 256 * KiB };

/** Requests to one provider. Throws PROVIDER_FAILED; an answer is there in full, whatever its status. */
export function oidcFetch(issuer: string, limits: Partial<OidcFetchLimits> = {}): OidcFetch {
  const { millis, bytes } = { ...usualLimits, ...limits };
  return async (address, { method, headers, body, signal }) => {
    requireSafeAddress(address, issuer);
    const deadline = AbortSignal.timeout(millis);
    try {
      const response = await fetch(address, {
        method: method ?? 'GET',
        ...(headers === undefined ? {} : { headers }),
        ...(body === undefined ? {} : { body }),
        // Where it may be asked is settled by its own word at discovery; a redirect could lead to anywhere.
        redirect: 'manual',
        signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
      });
      if (response.status >= 300 && response.status < 400) {
        await response.body?.cancel();
        throw providerFailed(issuer, `answers with a redirect at ${hostOf(address)}, which is not followed`);
      }
      return await readWhole(response, bytes, issuer);
    } catch (thrown) {
      if (thrown instanceof SallyportError) throw thrown;
      if (deadline.aborted) throw providerFailed(issuer, `did not answer within ${millis / 1000} seconds`, thrown);
      signal?.throwIfAborted();
      throw providerFailed(issuer, `cannot be reached at ${hostOf(address)}: ${reasonOf(thrown)}`, thrown);
    }
  };
}

async function readWhole(response: Response, most: number, issuer: string): Promise<Response> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const body: AsyncIterable<Uint8Array> | Uint8Array[] = response.body ?? [];
  for await (const piece of body) {
    length += piece.length;
    // Leaving the loop cancels the body, and with it the connection.
    if (length > most) throw providerFailed(issuer, `answers with more than ${most / KiB} KiB`);
    pieces.push(piece);
  }
  const { status } = response;
  const headers = new Headers(response.headers);
  for (const name of ['content-encoding', 'content-length']) headers.delete(name);
  return new Response(status === 204 || status === 205 ? null : Buffer.concat(pieces), { status, headers });
}

/** Of what went wrong with the provider. `what` continues the sentence "the identity provider …". */
export function providerFailed(issuer: string, what: string, cause?: unknown): SallyportError {
  return new SallyportError('PROVIDER_FAILED', `the identity provider ${issuer} ${what}`, {
    ...(cause === undefined ? {} : { cause }),
    remedy: 'try again in a moment, or log in with an SSH key',
  });
}

/** What our own fetch threw, out of whatever a library has wrapped around it. */
export function providerFailureIn(thrown: unknown): SallyportError | undefined {
  let error: unknown = thrown;
  for (let depth = 0; depth < 8 && error instanceof Error; depth += 1, error = error.cause)
    if (error instanceof SallyportError) return error;
  return undefined;
}

/**
 * HTTPS, or plain HTTP on the loopback interface for an issuer that is there itself: a provider on the same machine, and
 * tests. Nobody in between could read or change that.
 */
export function isSafeAddress(address: string, issuer: string): boolean {
  const url = URL.parse(address);
  if (url === null || url.username !== '' || url.password !== '') return false;
  return url.protocol === 'https:' || (isLoopbackHttp(url) && isPlain(issuer));
}

export function isPlain(issuer: string): boolean {
  const url = URL.parse(issuer);
  return url !== null && isLoopbackHttp(url);
}

function isLoopbackHttp({ protocol, hostname }: URL): boolean {
  // The parser has brought every way of writing an IPv4 address into this form.
  return protocol === 'http:' && (hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname));
}

function requireSafeAddress(address: string, issuer: string): void {
  if (!isSafeAddress(address, issuer))
    throw providerFailed(issuer, `would have to be asked over an insecure connection at ${hostOf(address)}`);
}

function hostOf(address: string): string {
  return URL.parse(address)?.host || 'an address that is none';
}

/** `fetch failed` alone says nothing; the system's own code is in the cause. */
function reasonOf(thrown: unknown): string {
  const cause = thrown instanceof Error ? (thrown.cause ?? thrown) : thrown;
  if (!(cause instanceof Error)) return String(cause);
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}
