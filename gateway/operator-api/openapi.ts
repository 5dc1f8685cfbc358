import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { errorCodes } from '../../contract/error-codes.ts';
import { type OperationName, type OperationShape, operations } from '../../contract/operator-api.ts';
import { operatorEvent } from '../../contract/operator-events.ts';
import { EVENTS_PATH } from './events.ts';
import { evidencePaths } from './evidence/describe-routes.ts';
import { METRICS_PATH } from './metrics.ts';
import { PROBLEM_TYPE } from './problem.ts';
import { readOnly } from './read-only-route.ts';
import { recordingPaths } from './recordings/describe-routes.ts';
import { COOKIE } from './who-asks.ts';

export const OPENAPI_PATH = '/openapi.json';

type Json = { [member: string]: unknown };

/** The document is the same for everybody, so that tools may read it without a log-in. */
export function serveOpenApi(app: FastifyInstance, version: string): void {
  let text: string | undefined;
  readOnly(app, OPENAPI_PATH, async (_request, reply) => {
    reply.type('application/json');
    text ??= JSON.stringify(openApiDocument(version));
    return text;
  });
}

/** OpenAPI 3.1 of every operation that has an address, from the table. */
export function openApiDocument(version: string): Json {
  const paths: Record<string, Json> = {};
  for (const [name, operation] of Object.entries(operations) as [OperationName, OperationShape][]) {
    if (operation.http === undefined) continue;
    const [method = '', path = ''] = operation.http.split(' ');
    paths[path] = { ...paths[path], [method.toLowerCase()]: operationObject(name, method, path, operation) };
  }
  return {
    openapi: '3.1.1',
    info: {
      title: "Sallyport's operator API",
      version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description: 'Sessions, approvals, supervision and evidence of a Sallyport gateway. x-roles says who may ask for an operation.',
    },
    paths: {
      ...paths,
      ...recordingPaths({ problems, security: loggedIn }),
      ...evidencePaths({ problems, security: loggedIn }),
      [EVENTS_PATH]: { get: eventsObject() },
      [METRICS_PATH]: { get: metricsObject() },
    },
    components: {
      schemas: { Problem: problemSchema(), Event: schemaOf(operatorEvent, 'output') },
      responses: {
        Problem: {
          description: 'It was not done. The code says why.',
          content: { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'Of a log-in, or of a program.' },
        cookie: {
          type: 'apiKey',
          in: 'cookie',
          name: COOKIE,
          description: 'Of a log-in with cookie: true. Takes an Origin header for all but GET.',
        },
      },
    },
  };
}

const problems = (...statuses: readonly number[]): Json =>
  Object.fromEntries(statuses.map((status) => [String(status), { $ref: '#/components/responses/Problem' }]));
const loggedIn = [{ token: [] }, { cookie: [] }];

function operationObject(name: OperationName, method: string, path: string, { may, summary, input, output, effect }: OperationShape): Json {
  const {
    properties = {},
    required = [],
    ...rest
  } = schemaOf(input, 'input') as { properties?: Record<string, Json>; required?: string[] };
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter = '']) => parameter);
  const elsewhere = Object.keys(properties).filter((member) => !inPath.includes(member));
  const isQuery = method !== 'POST';
  const parameters = [
    ...inPath.map((parameter) => ({ name: parameter, in: 'path', required: true, schema: properties[parameter] ?? {} })),
    ...(isQuery ? elsewhere : []).map((parameter) => ({
      name: parameter,
      in: 'query',
      required: required.includes(parameter),
      schema: properties[parameter] ?? {},
    })),
  ];
  const body = {
    ...rest,
    properties: Object.fromEntries(elsewhere.map((member) => [member, properties[member]])),
    required: required.filter((member) => !inPath.includes(member)),
  };
  return {
    operationId: name,
    summary,
    tags: [name.split('.', 1)[0]],
    'x-roles': may,
    'x-effect': effect,
    ...(may === 'anyone' ? { security: [{}] } : { security: loggedIn }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(isQuery ? {} : { requestBody: { required: body.required.length > 0, content: { 'application/json': { schema: body } } } }),
    responses: {
      '200': { description: 'Done.', content: { 'application/json': { schema: schemaOf(output, 'output') } } },
      ...problems(...(may === 'anyone' ? [400, 401, 403, 404, 409, 429] : [400, 401, 403, 404, 409]), 503),
    },
  };
}

function eventsObject(): Json {
  return {
    operationId: 'events',
    summary: 'A WebSocket on which changes are told as they become durable: one Event as JSON a message',
    tags: ['events'],
    'x-roles': 'operator',
    'x-message': { $ref: '#/components/schemas/Event' },
    security: loggedIn,
    responses: { '101': { description: 'The connection is a WebSocket from here on.' }, ...problems(401, 403, 409, 426) },
  };
}

function metricsObject(): Json {
  return {
    operationId: 'metrics',
    summary: "How the gateway is, in Prometheus' text format",
    tags: ['gateway'],
    'x-roles': 'operator',
    security: loggedIn,
    responses: { '200': { description: 'As asked.', content: { 'text/plain': { schema: { type: 'string' } } } }, ...problems(401) },
  };
}

function problemSchema(): Json {
  return {
    type: 'object',
    description: 'RFC 9457',
    required: ['type', 'title', 'status', 'code', 'detail'],
    properties: {
      type: { const: 'about:blank' },
      title: { type: 'string' },
      status: { type: 'integer' },
      code: { type: 'string', enum: errorCodes },
      detail: { type: 'string' },
      remedy: { type: 'string' },
    },
  };
}

/** OpenAPI 3.1 says once for the whole document which JSON Schema it is, and it is this one. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io });
  return rest;
}
