import { z } from 'zod';
import { operations } from '../../../contract/operator-api.ts';
import type { RouteTexts } from '../recordings/describe-routes.ts';

/** What OpenAPI says of the files that operators take away. */
export function evidencePaths({ problems, security }: RouteTexts): Record<string, Record<string, unknown>> {
  const file = (id: string, summary: string, may: readonly string[], type: string, parameters: readonly object[]) => ({
    get: {
      operationId: id,
      summary,
      tags: ['evidence'],
      'x-roles': may,
      'x-effect': 'read',
      security,
      parameters,
      responses: {
        '200': { description: 'The file.', content: { [type]: { schema: { type: 'string', format: 'binary' } } } },
        ...problems(400, 401, 403, 404, 409, 410, 429, 500, 503),
      },
    },
  });
  const { question, limit: _, ...asked } = operations['audit.ask'].input.shape;
  const inQuery = Object.entries(asked).map(([name, schema]) => ({
    name,
    in: 'query',
    required: false,
    schema: withoutDialect(z.toJSONSchema(schema, { io: 'input' })),
  }));
  return {
    '/api/exports/{export}/bundle.zip': file(
      'export.bundle',
      'A bundle that is ready, for whoever has had it written',
      operations['export.show'].may,
      'application/zip',
      [{ name: 'export', in: 'path', required: true, schema: { type: 'string' } }],
    ),
    '/api/audit/{question}/csv': file(
      'audit.csv',
      'The whole answer to a question, as CSV. Asking is a record',
      operations['audit.ask'].may,
      'text/csv',
      [{ name: 'question', in: 'path', required: true, schema: withoutDialect(z.toJSONSchema(question, { io: 'input' })) }, ...inQuery],
    ),
  };
}

function withoutDialect(document: Record<string, unknown>): object {
  const { $schema: _, ...schema } = document;
  return schema;
}
