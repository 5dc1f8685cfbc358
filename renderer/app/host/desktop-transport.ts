import { problemOf } from '../client/problem.ts';
import type { Bridge } from './bridge.ts';
import type { HostSocketEvents, HostTransport } from './host.ts';

/** Reaches the gateway through the main process, which has the log-in and knows the certificate. */
export function desktopTransport(bridge: Bridge): HostTransport {
  const sockets = new Map<string, HostSocketEvents>();
  bridge.on('socket.message', ({ socket, data, bytes }) => {
    // What is not acknowledged is read no further: so a page that is busy is not flooded.
    try {
      sockets.get(socket)?.message(data);
    } finally {
      void bridge.ask('socket.taken', { socket, bytes });
    }
  });
  bridge.on('socket.closed', ({ socket, code, reason }) => end(socket, code, reason));

  function end(socket: string, code: number, reason: string): void {
    const events = sockets.get(socket);
    sockets.delete(socket);
    events?.closed(code, reason);
  }

  return {
    request: async (path, { method, headers, body }) => {
      const answer = await bridge.ask('request', { path, method, headers: known(headers), body });
      return { status: answer.status, text: () => Promise.resolve(answer.body) };
    },
    bytes: async (path) => {
      const { status, headers, body } = await bridge.ask('request', { path, method: 'GET', headers: {} });
      if (status !== 200) throw problemOf(status, body);
      if (headers['content-type'] !== 'application/octet-stream') throw new TypeError(`${path} is no file of bytes`);
      return Uint8Array.from(body, (character) => character.charCodeAt(0));
    },
    connect: (path, events) => {
      const socket = crypto.randomUUID();
      sockets.set(socket, events);
      bridge.ask('socket.open', { socket, path }).catch((thrown: unknown) => end(socket, 1006, String(thrown)));
      return {
        close: () => {
          if (!sockets.has(socket)) return;
          void bridge.ask('socket.close', { socket });
          end(socket, 1000, '');
        },
      };
    },
    after: (millis, run) => {
      const timer = setTimeout(run, millis);
      return () => clearTimeout(timer);
    },
  };
}

/** The bridge takes these and no others, and fails for what it does not know. */
function known(headers: Readonly<Record<string, string>>): { accept?: string; 'content-type'?: string; range?: string } {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
