import type { OperationInput } from '../../../contract/operator-api.ts';

export class QueryFault extends Error {}

type Search = Pick<OperationInput<'search.content'>, 'query'> &
  Partial<Pick<OperationInput<'search.content'>, 'principal' | 'onBehalfOf' | 'target' | 'from' | 'to'>>;

const limits = { agent: 'principal', for: 'onBehalfOf', target: 'target', from: 'from', to: 'to' } as const;

/** Takes the limits out of what was typed; the rest is the search itself, in the language of docs/searching.md. */
export function readSearch(typed: string): Search | QueryFault {
  const found: Partial<Record<(typeof limits)[keyof typeof limits], string>> = {};
  const query = typed
    .replaceAll(/"[^"]*"?|(?<![^\s])(agent|for|target|from|to):(\S+)/g, (piece, name?: keyof typeof limits, value?: string) => {
      if (name === undefined || value === undefined) return piece;
      found[limits[name]] = value;
      return '';
    })
    .replaceAll(/\s+/g, ' ')
    .trim();
  if (query === '') return new QueryFault('Say what to look for: the limits alone find every line.');
  return { query, ...found };
}
