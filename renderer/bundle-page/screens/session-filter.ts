import type { BundlePageSession } from '../../../contract/bundle-page.ts';

/** Which words a session is found by. */
const fields: Readonly<Record<string, (session: BundlePageSession) => string>> = {
  agent: ({ principal, principalKind }) => (principalKind === 'agent' ? principal : ''),
  principal: ({ principal }) => principal,
  human: ({ principal, principalKind, onBehalfOf }) => onBehalfOf ?? (principalKind === 'human' ? principal : ''),
  target: ({ target }) => target,
  protocol: ({ protocol }) => protocol,
  state: ({ state }) => state,
  from: ({ source }) => source,
  command: ({ recordings }) => recordings.map(({ command }) => command ?? '').join('\n'),
  id: ({ id }) => id,
};

export const filterFields: readonly string[] = Object.keys(fields);

/**
 * Words that all have to be found somewhere in a session's row; `target:web` in one place, `-state:live` in none.
 * A word with spaces stands in quotes.
 */
export function sessionFilter(query: string): (session: BundlePageSession) => boolean {
  const conditions = [...query.toLowerCase().matchAll(/(-?)(?:([a-z]+):)?(?:"([^"]*)"?|(\S+))/g)].map(
    ([whole, minus, field, quoted, plain]) => {
      const read = field === undefined ? everything : fields[field];
      // An unknown field is no field: `10.0.0.5:22` and `foo:bar` are looked for as they stand.
      const wanted = read === undefined ? whole.slice(minus?.length ?? 0) : (quoted ?? plain ?? '');
      return { read: read ?? everything, wanted, not: minus === '-' };
    },
  );
  return (session) => conditions.every(({ read, wanted, not }) => read(session).toLowerCase().includes(wanted) !== not);
}

function everything(session: BundlePageSession): string {
  return [
    session.started.replace('T', ' '),
    session.id,
    session.principal,
    session.onBehalfOf ?? '',
    session.target,
    session.protocol,
    session.state,
    session.source,
    ...session.recordings.map(({ kind, command }) => `${kind} ${command ?? ''}`),
  ].join('\n');
}

export type SortKey = 'started' | 'who' | 'target' | 'protocol' | 'duration';

type Compare = (a: BundlePageSession, b: BundlePageSession) => number;

const byText =
  (read: (session: BundlePageSession) => string): Compare =>
  (a, b) =>
    read(a).localeCompare(read(b)) || (a.started < b.started ? -1 : 1);

export const compareSessions: Readonly<Record<SortKey, Compare>> = {
  started: (a, b) => (a.started < b.started ? -1 : a.started > b.started ? 1 : 0),
  who: byText(({ principal }) => principal),
  target: byText(({ target }) => target),
  protocol: byText(({ protocol }) => protocol),
  duration: (a, b) => lengthOf(a) - lengthOf(b),
};

function lengthOf({ started, ended }: BundlePageSession): number {
  return ended === null ? Number.MAX_SAFE_INTEGER : Date.parse(ended) - Date.parse(started);
}
