import type { customFetch, DiscoveryRequestOptions } from 'openid-client';
import { DesktopError, messageOf } from '../base/desktop-error.ts';

/*
 * Asking an identity provider something. The gateway names it, and it is a stranger still: whatever it does, a request
 * costs a bounded time and a bounded memory.
 */

const MILLIS = 10_000;
const MOST_BYTES = 256 * 1024;

export type ProviderFetch = NonNullable<DiscoveryRequestOptions[typeof customFetch]>;

/** Requests to one provider, over HTTPS or to this machine. Throws PROVIDER_FAILED. */
export function providerFetch(issuer: string, signal: AbortSignal): ProviderFetch {
  return async (address, { method, headers, body }) => {
    if (!isSafeAddress(address, issuer)) throw providerFailed(issuer, 'would have to be asked over an insecure connection');
    const deadline = AbortSignal.timeout(MILLIS);
    try {
      const response = await fetch(address, {
        method,
        headers,
        ...(body == null ? {} : { body }),
        // Where it may be asked is settled by its own word at discovery; a redirect could lead to anywhere.
        redirect: 'manual',
        signal: AbortSignal.any([signal, deadline]),
      });
      if (response.status >= 300 && response.status < 400) {
        await response.body?.cancel();
        throw providerFailed(issuer, 'answers with a redirect, which is not followed');
      }
      return await readWhole(response, issuer);
    } catch (thrown) {
      if (thrown instanceof DesktopError) throw thrown;
      signal.throwIfAborted();
      throw providerFailed(
        issuer,
        deadline.aborted ? `did not answer within ${MILLIS / 1000} seconds` : `cannot be reached: ${reasonOf(thrown)}`,
        thrown,
      );
    }
  };
}

async function readWhole(response: Response, issuer: string): Promise<Response> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const body: AsyncIterable<Uint8Array> | Uint8Array[] = response.body ?? [];
  for await (const piece of body) {
    length += piece.length;
    // Leaving the loop cancels the body, and with it the connection.
    if (length > MOST_BYTES) throw providerFailed(issuer, `answers with more than ${MOST_BYTES / 1024} KiB`);
    pieces.push(piece);
  }
  const { status } = response;
  const headers = new Headers(response.headers);
  for (const name of ['content-encoding', 'content-length']) headers.delete(name);
  return new Response(status === 204 || status === 205 ? null : Buffer.concat(pieces), { status, headers });
}

/** `what` continues the sentence "the identity provider …". */
export function providerFailed(issuer: string, what: string, cause?: unknown): DesktopError {
  return new DesktopError('PROVIDER_FAILED', `the identity provider ${issuer} ${what}`, {
    ...(cause === undefined ? {} : { cause }),
    remedy: 'try again in a moment, or log in with a code or the key of this device',
  });
}

/** What our own fetch threw, out of whatever a library has wrapped around it. */
export function providerFailureIn(thrown: unknown): DesktopError | undefined {
  let error: unknown = thrown;
  for (let depth = 0; depth < 8 && error instanceof Error; depth += 1, error = error.cause) if (error instanceof DesktopError) return error;
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

/** `fetch failed` alone says nothing; the system's own code is in the cause. */
function reasonOf(thrown: unknown): string {
  const cause = thrown instanceof Error ? (thrown.cause ?? thrown) : thrown;
  return (cause as NodeJS.ErrnoException | undefined)?.code ?? messageOf(cause);
}
