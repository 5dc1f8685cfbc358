import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DesktopError } from '../base/desktop-error.ts';

/** Requests that are not the one that is waited for, until something is clearly wrong. */
const MOST_STRAY = 50;

export interface LoopbackRedirect {
  readonly address: string;
  /** What the provider's answer says, and how to answer the browser in turn. Once. */
  answer(state: string, signal: AbortSignal): Promise<{ readonly query: URLSearchParams; readonly reply: (done: boolean) => void }>;
  close(): void;
}

/** Where the system's browser comes back to (RFC 8252, section 7.3). */
export async function openLoopbackRedirect(): Promise<LoopbackRedirect> {
  const server = createServer({ maxHeaderSize: 16_384, headersTimeout: 10_000, requestTimeout: 10_000 });
  server.maxConnections = 16;
  // The address and not a name: nothing but this machine can be meant (section 8.3).
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`;
  return {
    address,
    answer: async (state, signal) => {
      const { query, response } = await answerTo(server, new URL(address), state, signal);
      return {
        query,
        reply: (done) =>
          done
            ? reply(response, 200, 'Done. You can close this window and go back to Sallyport.')
            : reply(response, 400, 'This did not work. Sallyport says why.'),
      };
    },
    close: () => {
      server.close();
      server.closeIdleConnections();
      // The page may still be on its way.
      setTimeout(() => server.closeAllConnections(), 1000).unref();
    },
  };
}

interface Answer {
  readonly query: URLSearchParams;
  readonly response: ServerResponse;
}

/**
 * The one request that brings what the provider says. Any page in any browser on this machine can send others here; they
 * do not have the state, and so neither end the log-in nor get anything out of it.
 */
function answerTo(server: Server, redirect: URL, state: string, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let stray = 0;
    let found = false;
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    if (signal.aborted) reject(signal.reason as Error);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      request.resume();
      const asked = URL.parse(request.url ?? '', redirect.href);
      // Another host is a name that somebody has pointed here (DNS rebinding).
      const isIt =
        !found &&
        request.method === 'GET' &&
        request.headers.host === redirect.host &&
        asked?.pathname === redirect.pathname &&
        asked.searchParams.getAll('state').length === 1 &&
        asked.searchParams.get('state') === state;
      if (isIt && asked !== null) {
        found = true;
        resolve({ query: asked.searchParams, response });
        return;
      }
      reply(response, 404, 'There is nothing here.');
      stray += 1;
      if (stray < MOST_STRAY) return;
      reject(new DesktopError('LOGIN_REFUSED', 'something on this machine keeps sending other requests to where the log-in is waited for'));
    });
  });
}

function reply(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    connection: 'close',
  });
  response.end(
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sallyport</title></head><body><p>${text}</p></body></html>\n`,
  );
}
