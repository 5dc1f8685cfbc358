import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createConnection, createServer, type ListenOptions, type Server } from 'node:net';
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
  const limit = options.withinMs ?? 45_000;
  const start = performance.now();
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (performance.now() - start > limit) throw new Error(`waited ${limit} ms in vain: ${what}`);
    await delay(options.everyMs ?? 50);
  }
}

/** Below this, a system has services of its own. */
const FIRST_PORT = 10_240;
let next: number | undefined;

/**
 * A free TCP port, for servers that can't pick one themselves or that start again where they were. Until this process
 * ends nobody takes it in between: the kernel gives it to no one who asks for any port, and no other test gets it.
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const end = Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split('\t', 1)[0]);
  const count = end - FIRST_PORT;
  if (count < 4096) throw new Error(`this system gives out ports from ${end} on; the tests need some that it does not`);
  next ??= randomInt(count);
  for (let tried = 0; tried < count; tried += 1) {
    const port = FIRST_PORT + (next++ % count);
    // A socket without a file, by whose name all who run tests on this machine see that the port is taken.
    if ((await bound({ path: `\0sallyport-tests-${port}` })) === undefined) continue;
    const server = await bound({ host, port });
    if (server === undefined) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
  throw new Error('no port is free');
}

/** Undefined when somebody is there already. */
async function bound(address: ListenOptions): Promise<Server | undefined> {
  const server = createServer().listen(address).unref();
  try {
    await once(server, 'listening');
    return server;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw thrown;
  }
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

/**
 * The shortest time in milliseconds that something takes, in up to five goes; no more of them once it was below `enough`.
 * A busy machine holds up one of them, or two; what always waits for something holds up them all.
 */
export async function fastest(enough: number, work: () => unknown): Promise<number> {
  let shortest = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < 5 && shortest >= enough; tries += 1) {
    const start = performance.now();
    await work();
    shortest = Math.min(shortest, performance.now() - start);
  }
  return shortest;
}

/** Whether something on this machine listens on the port, told without connecting to it. */
export function isListened(port: number): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return ['/proc/net/tcp', '/proc/net/tcp6'].some((table) =>
    new RegExp(`^\\s*\\d+: [0-9A-F]+:${hex} [0-9A-F:]+ 0A `, 'm').test(readFileSync(table, 'utf8')),
  );
}
