import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SallyportError } from '../base/errors.ts';
import { PROBLEM_TYPE, type Problem, problem } from './problem.ts';

/** A resource that is only read: GET, HEAD, and a plain refusal of everything else before a body is looked at. */
export function readOnly(
  app: FastifyInstance,
  url: string,
  answer: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>,
): void {
  app.route({ method: ['GET', 'HEAD'], url, handler: answer });
  app.route({
    method: ['DELETE', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE'],
    url,
    // Without calling on: what follows would read the body.
    onRequest: (request, reply, _next) => {
      const error = new SallyportError('REQUEST_INVALID', `${request.method} is not possible here`, { remedy: 'use GET or HEAD' });
      // The body that was not read ends with the connection.
      sendProblem(reply.headers({ allow: 'GET, HEAD', connection: 'close' }), problem(405, error));
    },
    handler: (_request, reply) => reply,
  });
}

export function sendProblem(reply: FastifyReply, what: Problem): FastifyReply {
  return reply
    .code(what.status)
    .type(PROBLEM_TYPE)
    .send(Buffer.from(JSON.stringify(what)));
}

/** The path as it was asked for, without a query. */
export function pathOf(request: FastifyRequest): string {
  return request.raw.url?.split('?', 1)[0] ?? '';
}

export function notFound(request: FastifyRequest): SallyportError {
  // Not all of it: it is the client's own text, and may be long.
  return new SallyportError('NOT_FOUND', `there is nothing at ${pathOf(request).slice(0, 200)}`);
}
