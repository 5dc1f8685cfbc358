import type { WebSocket } from '@fastify/websocket';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Role } from '../../contract/operator-api.ts';
import type { Actor } from '../../contract/record.ts';
import { authoriseRoles, type LoggedIn } from './authorise.ts';
import type { OperatorSockets } from './operator-sockets.ts';
import type { Door } from './who-asks.ts';

/** Who opened a WebSocket, and what they wrote into its address. */
export interface SocketAsking {
  readonly operator: LoggedIn;
  readonly actor: Actor;
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
}

/** Where WebSockets are added; whoever adds one need not know how the others are let in. */
export interface SocketScope {
  readonly app: FastifyInstance;
  readonly door: Door;
  readonly sockets: OperatorSockets;
}

/**
 * A WebSocket that takes one of these roles. The log-in, `Origin` and `Host` are checked before the connection is
 * upgraded, and how many an operator may have; while it is open the log-in is looked at again and again, and a peer that
 * gives no sign of life is let go. `handler` gets an open socket; what it throws or rejects with closes that.
 */
export function socketRoute(
  { app, door, sockets }: SocketScope,
  path: `/api/${string}`,
  roles: readonly Role[],
  handler: (socket: WebSocket, asking: SocketAsking) => void | Promise<void>,
): void {
  sockets.offerAt(path);
  const admitted = new WeakMap<FastifyRequest, { operator: LoggedIn; actor: Actor }>();
  app.route({
    method: 'GET',
    url: path,
    onRequest: async (request, reply) => {
      const { operator, actor } = await door.whoAsks(request, reply);
      authoriseRoles(path, roles, operator);
      if (operator === undefined) return;
      sockets.requireRoom(operator);
      admitted.set(request, { operator, actor });
    },
    handler: (_request, reply) => reply.code(426).header('upgrade', 'websocket').send(),
    wsHandler: async (socket, request) => {
      const who = admitted.get(request);
      if (who === undefined) {
        socket.terminate();
        return;
      }
      sockets.keep(socket, request.raw.socket, who.operator, roles);
      await handler(socket, { ...who, params: request.params as SocketAsking['params'], query: request.query as SocketAsking['query'] });
    },
  });
}
