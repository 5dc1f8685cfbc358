import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Admission } from '../../../gateway/protocol/ssh/admission.ts';
import { Belongings } from '../../support/temp.ts';

const belongings = new Belongings();
let server: Server;
beforeAll(async () => {
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  belongings.add(() => void server.close());
});
afterAll(() => belongings.release());

/** A connection: the server's end of it. */
async function arrive(): Promise<Socket> {
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const client = connect((server.address() as { port: number }).port, '127.0.0.1');
  client.on('error', () => undefined);
  belongings.add(() => void client.destroy());
  const [socket] = await accepted;
  return socket;
}

describe('connections before log-in', () => {
  it('are so many at most: the oldest silent one makes room, never one that speaks while another is silent', async () => {
    const admission = new Admission(3, 60);
    const [speaking, silent, second, third] = [await arrive(), await arrive(), await arrive(), await arrive()];
    admission.enter(speaking);
    admission.spoke(speaking);
    for (const socket of [silent, second, third]) admission.enter(socket);
    expect([speaking, silent, second, third].map(({ destroyed }) => destroyed)).toEqual([false, true, false, false]);
    for (const socket of [speaking, second, third]) admission.spoke(socket);
    admission.enter(await arrive());
    expect(speaking.destroyed).toBe(true);
    expect(admission.waiting).toBe(3);
    for (const socket of [second, third]) admission.leave(socket);
    expect(admission.waiting).toBe(1);
  });

  it('have so long for it, speaking or not, and those who have logged in are left alone', async () => {
    const admission = new Admission(10, 0.1);
    const [silent, speaking, loggedIn] = [await arrive(), await arrive(), await arrive()];
    for (const socket of [silent, speaking, loggedIn]) admission.enter(socket);
    admission.spoke(speaking);
    admission.leave(loggedIn);
    await Promise.all([silent, speaking].map((socket) => once(socket, 'close')));
    expect(loggedIn.destroyed).toBe(false);
    expect(admission.waiting).toBe(0);
  });
});
