import type { FastifyInstance } from 'fastify';
import type { OperatorApiParts } from './operator-app.ts';
import { readOnly } from './read-only-route.ts';

/** For whoever restarts the gateway and sends clients to it: it lives; it takes sessions. */
export function serveHealth(app: FastifyInstance, { unready }: Pick<OperatorApiParts, 'unready'>): void {
  readOnly(app, '/healthz', async (_request, reply) => {
    reply.type('application/json');
    return '{"alive":true}';
  });
  readOnly(app, '/readyz', async (_request, reply) => {
    const reason = unready();
    if (reason !== undefined) throw reason;
    reply.type('application/json');
    return '{"ready":true}';
  });
}
