import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import type { RecordingTransport } from '../../../contract/replay/recording-transport.ts';
import { openWebSocket } from '../../../gateway/commands/web-socket.ts';
import type { Reached } from '../api-client.ts';

/** A driver's way to a gateway, whose connections a test may cut. */
export interface CuttableTransport extends RecordingTransport {
  /** Everything that was asked for: method, path, range. */
  readonly asked: string[];
  /** How many WebSockets were opened. */
  readonly connections: number;
  /** Ends the WebSocket that is open, as a network does. */
  cut(): void;
}

export function nodeTransport(gateway: Reached, trust: string, token: string): CuttableTransport {
  const asked: string[] = [];
  const open = new Set<() => void>();
  let connections = 0;
  return {
    asked,
    get connections() {
      return connections;
    },
    cut: () => {
      for (const end of [...open]) end();
    },
    request: (path, { method, headers, body }) =>
      new Promise((resolve, reject) => {
        asked.push([method, path, headers.range ?? ''].join(' ').trim());
        const sent = request(
          {
            host: '127.0.0.1',
            servername: 'localhost',
            port: gateway.httpsPort,
            path,
            method,
            ca: readFileSync(join(gateway.data, 'keys', 'https.crt')),
            headers: { authorization: `Bearer ${token}`, ...headers },
          },
          (response) => {
            const pieces: Buffer[] = [];
            response.on('data', (piece: Buffer) => pieces.push(piece));
            response.on('error', reject);
            response.on('end', () =>
              resolve({ status: response.statusCode ?? 0, text: async () => Buffer.concat(pieces).toString('utf8') }),
            );
          },
        );
        sent.on('error', reject);
        sent.end(body);
      }),
    connect: (path, events) => {
      connections += 1;
      let over = false;
      let close: () => void = () => undefined;
      const end = (code: number, reason: string) => {
        if (over) return;
        over = true;
        open.delete(cut);
        events.closed(code, reason);
      };
      const cut = () => {
        close();
        end(1006, 'cut');
      };
      open.add(cut);
      const listener = {
        text: (message: string) => {
          if (!over) events.message(message);
        },
        binary: () => undefined,
        ended: (code: number | undefined, reason: string) => end(code ?? 1006, reason),
      };
      const url = `https://127.0.0.1:${gateway.httpsPort}`;
      openWebSocket({ gateway: { url, trust }, token }, path, listener).then(
        (socket) => {
          close = () => socket.close();
          if (over) socket.close();
        },
        (error: unknown) => end(1006, String(error)),
      );
      return {
        close: () => {
          over = true;
          open.delete(cut);
          close();
        },
      };
    },
    after: (millis, run) => {
      const timer = setTimeout(run, millis);
      return () => clearTimeout(timer);
    },
  };
}
