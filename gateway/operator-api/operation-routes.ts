import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type OperationName, type OperationShape, operations } from '../../contract/operator-api.ts';
import { SallyportError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { authorise } from './authorise.ts';
import { type LoginCookie, type Performers, perform } from './operations.ts';
import { type Door, forgottenCookie, loginCookie, type WhoAsks } from './who-asks.ts';

const KiB = 1024;
/** What a stranger may send. */
const STRANGERS_BODY = 128 * KiB;
const BODY = 1024 * KiB;
/** While an operation takes its time, its client and all between hear this often that it goes on (RFC 9110 section 15.2). */
const SIGN_OF_LIFE_MILLIS = 5000;

export interface OperationRouteParts {
  readonly performers: Performers;
  readonly door: Door;
  readonly log: Log;
  /** Aborted when the gateway stops. */
  readonly stopping: AbortSignal;
}

/** Every operation of the table that has an address, bound to it. */
export function serveOperations(app: FastifyInstance, parts: OperationRouteParts): void {
  for (const name of Object.keys(operations) as OperationName[]) {
    const { http }: OperationShape = operations[name];
    if (http !== undefined) serveOperation(app, name, http, parts);
  }
}

function serveOperation(
  app: FastifyInstance,
  name: OperationName,
  http: string,
  { performers, door, stopping, log }: OperationRouteParts,
): void {
  const [method = '', path = ''] = http.split(' ');
  const { may, effect }: OperationShape = operations[name];
  const asking = new WeakMap<FastifyRequest, WhoAsks>();
  app.route({
    method,
    url: path.replaceAll(/\{(\w+)\}/g, ':$1'),
    bodyLimit: may === 'anyone' ? STRANGERS_BODY : BODY,
    // Whoever may not ask has nothing read or looked at.
    onRequest: async (request, reply) => {
      const who = await door.whoAsks(request, reply, may === 'anyone');
      authorise(name, { via: 'https', ...who });
      asking.set(request, who);
    },
    handler: async (request, reply) => {
      const before = asking.get(request);
      if (before === undefined) throw new TypeError('a request has passed nobody');
      const who = door.stillAsks(before);
      if (stopping.aborted)
        throw new SallyportError('GATEWAY_DRAINING', 'the gateway is shutting down', { remedy: 'try again in a moment' });
      if (effect === 'write' && who.operator !== undefined)
        log.info({ operation: name, principal: who.operator.name }, 'an operation was asked for over HTTPS');
      const signsOfLife = setInterval(() => {
        if (!reply.raw.headersSent && reply.raw.writable) reply.raw.writeProcessing();
      }, SIGN_OF_LIFE_MILLIS);
      try {
        const input = inputOf(request);
        const asker = { via: 'https', ...who } as const;
        const output = await perform(performers, name, input, asker, { ...who, signal: stopping, cookie: cookieOf(reply) });
        return await reply.type('application/json').send(Buffer.from(JSON.stringify(output)));
      } finally {
        clearInterval(signsOfLife);
      }
    },
  });
}

/** From the path and the query, or the path and the body: each member comes from one place. */
function inputOf({ method, params, query, body }: FastifyRequest): object {
  const inPath = params as Readonly<Record<string, unknown>>;
  const rest = method === 'POST' ? (body ?? {}) : query;
  if (typeof rest !== 'object' || rest === null || Array.isArray(rest))
    throw new SallyportError('REQUEST_INVALID', 'the body has to be a JSON object');
  const twice = Object.keys(inPath).find((key) => Object.hasOwn(rest, key));
  if (twice !== undefined) throw new SallyportError('REQUEST_INVALID', `${twice} stands in the path, and may not be given again`);
  return { ...rest, ...inPath };
}

function cookieOf(reply: FastifyReply): LoginCookie {
  return {
    give: (token, expires) => void reply.header('set-cookie', loginCookie(token, expires)),
    take: () => void reply.header('set-cookie', forgottenCookie),
  };
}
