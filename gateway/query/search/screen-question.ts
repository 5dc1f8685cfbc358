import { readSessionQuestion, type SessionWords } from '../session-question.ts';
import { parseQuery } from './parse-query.ts';
import { queryTokens } from './query-tokens.ts';
import type { ScreenQuestion } from './search-screens.ts';

export type ScreenWords = { readonly [W in keyof Omit<SessionWords, 'text'>]: SessionWords[W] | undefined } & {
  readonly query: string;
  readonly session?: string | undefined;
  readonly channel?: number | undefined;
};

/** Throws USAGE for a time or a state that there is not, and QUERY_INVALID for a query that cannot be looked for. */
export function readScreenQuestion({ query, session, channel, ...words }: ScreenWords): ScreenQuestion {
  queryTokens(parseQuery(query));
  const said = Object.fromEntries(Object.entries(words).filter(([, value]) => value !== undefined)) as SessionWords;
  const { from, to, ...filter } = readSessionQuestion(said);
  return {
    ...filter,
    query,
    ...(session === undefined ? {} : { session }),
    ...(channel === undefined ? {} : { channel }),
    ...(from === undefined ? {} : { from: microsOf(from) }),
    ...(to === undefined ? {} : { to: microsOf(to) }),
  };
}

/** Of a time as records have it: ISO 8601 UTC with six fractional digits. */
function microsOf(time: string): number {
  return Date.parse(`${time.slice(0, 23)}Z`) * 1000 + Number(time.slice(23, 26));
}
