import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createConnection, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits for a fact that nothing announces (another process's memory, a file it writes). Where there is an event, await
 * the event. Rejects with what was seen last.
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  options: { withinMs?: number; everyMs?: number } = {},
): Promise<T> {
  const limit = options.withinMs ?? 15_000;
  const start = performance.now();
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (performance.now() - start > limit) throw new Error(`waited ${limit} ms in vain: ${what}`);
    await delay(options.everyMs ?? 50);
  }
}

/** A TCP port that was free a moment ago, for servers which can't pick one themselves. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Resolves as soon as something accepts connections there. */
export async function listening(host: string, port: number): Promise<void> {
  await until(
    `${host}:${port} accepts connections`,
    async () => {
      const socket = createConnection({ host, port });
      try {
        await once(socket, 'connect');
        return true;
      } catch {
        return undefined;
      } finally {
        socket.destroy();
      }
    },
    { everyMs: 20 },
  );
}

/** Whether something on this machine listens on the port, told without connecting to it. */
export function isListened(port: number): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return ['/proc/net/tcp', '/proc/net/tcp6'].some((table) =>
    new RegExp(`^\\s*\\d+: [0-9A-F]+:${hex} [0-9A-F:]+ 0A `, 'm').test(readFileSync(table, 'utf8')),
  );
}
