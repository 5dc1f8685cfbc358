import type { FastifyInstance } from 'fastify';
import type { OperatorApiParts } from './operator-app.ts';
import { PROBLEM_TYPE, problem } from './problem.ts';
import { readOnly } from './read-only-route.ts';

/** For whoever restarts the gateway and sends clients to it: it lives; it takes sessions. */
export function serveHealth(app: FastifyInstance, { unready }: Pick<OperatorApiParts, 'unready'>): void {
  readOnly(app, '/healthz', async (_request, reply) => {
    reply.type('application/json');
    return '{"alive":true}';
  });
  readOnly(app, '/readyz', async (_request, reply) => {
    const reason = unready();
    // Whatever the reason: the status says only that clients should go elsewhere.
    reply.code(reason === undefined ? 200 : 503).type(reason === undefined ? 'application/json' : PROBLEM_TYPE);
    return Buffer.from(reason === undefined ? '{"ready":true}' : JSON.stringify(problem(503, reason)));
  });
}
