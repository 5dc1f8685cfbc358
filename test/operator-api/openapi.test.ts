import { describe, expect, test } from 'vitest';
import { type OperationName, type OperationShape, operations } from '../../contract/operator-api.ts';
import { openApiDocument } from '../../gateway/operator-api/openapi.ts';

/** What a tool that knows OpenAPI 3.1 and not us relies on. */

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
  readonly schema: object;
}
interface Described {
  readonly operationId: string;
  readonly 'x-roles': unknown;
  readonly security: readonly Record<string, unknown>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly content: Record<
      string,
      { readonly schema: { readonly properties: Record<string, unknown>; readonly required: readonly string[] } }
    >;
  };
  readonly responses: Record<string, unknown>;
}

const document = openApiDocument('9.9.9') as {
  openapi: string;
  paths: Record<string, Record<string, Described>>;
  components: { securitySchemes: Record<string, unknown> };
};
const described = new Map(
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => [operation.operationId, { path, method, operation }] as const),
  ),
);

const addressed = (Object.entries(operations) as [OperationName, OperationShape][]).filter(([, { http }]) => http !== undefined);

describe('the OpenAPI document', () => {
  test.each(addressed)('has %s as the table has it', (name, { http, may, input }) => {
    const [method = '', path = ''] = (http ?? '').split(' ');
    const found = described.get(name);
    if (found === undefined) throw new Error('it is missing');
    expect([found.path, found.method]).toEqual([path, method.toLowerCase()]);
    const { operation } = found;
    expect(operation['x-roles']).toEqual(may);
    expect(operation.security.every((each) => Object.keys(each).every((scheme) => scheme in document.components.securitySchemes))).toBe(
      true,
    );
    expect(operation.security).toHaveLength(may === 'anyone' ? 1 : 2);
    expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['200', '400', '401', '403', '404', '409']));
    // Every parameter of the path is described, and every member of the input stands in exactly one place.
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
    const parameters = operation.parameters ?? [];
    expect(parameters.filter((parameter) => parameter.in === 'path').map((parameter) => parameter.name)).toEqual(inPath);
    expect(parameters.every(({ required, in: where }) => where !== 'path' || required)).toBe(true);
    const body = operation.requestBody?.content['application/json']?.schema;
    expect(body === undefined).toBe(method !== 'POST');
    const members = Object.keys((input as unknown as { shape: object }).shape);
    expect([...parameters.map((parameter) => parameter.name), ...Object.keys(body?.properties ?? {})].toSorted()).toEqual(
      members.toSorted(),
    );
  });

  test('refers to nothing that is not in it', () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    const targets = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, target = '']) => target);
    expect(targets.length).toBeGreaterThan(100);
    for (const target of new Set(targets)) {
      const found = target
        .replace(/^#\//, '')
        .split('/')
        .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], document);
      expect({ target, found: typeof found }).toEqual({ target, found: 'object' });
    }
  });

  test('names each operation once, and none that only the control socket has', () => {
    expect(described.size).toBe(addressed.length + 7); // events, metrics, three kinds of parts of recordings, bundles, answers as CSV
    expect(
      [...described.keys()].some((name) => name in operations && (operations as Record<string, OperationShape>)[name]?.http === undefined),
    ).toBe(false);
  });
});
