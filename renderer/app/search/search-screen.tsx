import { Button, TextInput } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { Link, useLocation, useSearchParams } from 'wouter';
import type { OperationOutput } from '../../../contract/operator-api.ts';
import { ask } from '../client/ask.ts';
import { asProblem, type Problem } from '../client/problem.ts';
import { counting, length, number } from '../design/format.ts';
import { Key, TargetLabel, TimeText, Who } from '../design/labels.tsx';
import { Screen, Spring } from '../design/pane.tsx';
import { EmptyState, FaultState, LoadingState } from '../design/states.tsx';
import { useHost } from '../host/host-context.tsx';
import { useKeys } from '../keyboard/use-keys.tsx';
import { routes } from '../routes.ts';
import { QueryFault, readSearch } from './read-search.ts';
import classes from './search-screen.module.css';

type Page = OperationOutput<'search.content'>;
type Hit = Page['hits'][number];
type FoundSession = Page['sessions'][number];

const PAGE = 50;

/** Lines that were on screens, by session, each leading to the moment at which it was seen. */
export function SearchScreen() {
  const [search, setSearch] = useSearchParams();
  const query = search.get('q') ?? '';
  const [typed, setTyped] = useState(query);
  const [field, setField] = useState<HTMLInputElement | null>(null);
  useKeys([{ keys: ['/', 'mod+f'], label: 'Search the screens', group: 'Search', run: () => field?.select() }]);
  return (
    <Screen
      label="Search"
      bar={
        <form
          className={classes.form}
          onSubmit={(event) => {
            event.preventDefault();
            setSearch(typed.trim() === '' ? {} : { q: typed.trim() });
          }}
        >
          <TextInput
            ref={setField}
            className={classes.field}
            aria-label="What was on a screen"
            placeholder="What was on a screen: words, “a phrase”, begin*, *part*"
            autoFocus
            autoComplete="off"
            spellCheck={false}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
          />
          <Button type="submit" variant="filled">
            Search
          </Button>
          <Spring />
          <span className="faint">
            limits: <span className="mono">target:</span> <span className="mono">agent:</span> <span className="mono">for:</span>{' '}
            <span className="mono">from:</span> <span className="mono">to:</span>
          </span>
        </form>
      }
    >
      {query === '' ? (
        <EmptyState title="Find what stood on a screen">
          <p className="muted">
            In every session, also what a program without a terminal wrote, and what has long scrolled away. <Key>/</Key> begins a search.
          </p>
          <ul className={classes.examples}>
            {['"permission denied"', 'DROP* target:workshop', '*.pem for:engineer@example.com'].map((example) => (
              <li key={example}>
                <button
                  type="button"
                  className="mono"
                  onClick={() => {
                    setTyped(example);
                    setSearch({ q: example });
                  }}
                >
                  {example}
                </button>
              </li>
            ))}
          </ul>
        </EmptyState>
      ) : (
        <Results key={query} query={query} />
      )}
    </Screen>
  );
}

function Results({ query }: { query: string }) {
  const { transport } = useHost();
  const read = readSearch(query);
  const found = useInfiniteQuery<Page, Problem, { pages: Page[] }, readonly unknown[], string | undefined>({
    queryKey: ['search.content', query],
    enabled: !(read instanceof QueryFault),
    initialPageParam: undefined,
    queryFn: ({ pageParam }) => {
      if (read instanceof QueryFault) throw read;
      return ask(transport, 'search.content', { ...read, limit: PAGE, ...(pageParam === undefined ? {} : { cursor: pageParam }) });
    },
    getNextPageParam: ({ cursor }) => cursor,
    // A search is on record each time it is asked.
    staleTime: Number.POSITIVE_INFINITY,
  });
  // A page may end before anything is found, when it has taken its time: the first screenful comes by itself.
  const hits = found.data?.pages.flatMap((page) => page.hits) ?? [];
  const wantsMore = found.hasNextPage && !found.isFetching && found.error === null && hits.length < PAGE / 2;
  const { fetchNextPage } = found;
  useEffect(() => {
    if (wantsMore) void fetchNextPage();
  }, [wantsMore, fetchNextPage]);
  if (read instanceof QueryFault) return <EmptyState title={read.message} />;
  if (found.error !== null) {
    const problem = asProblem(found.error);
    return problem.code === 'QUERY_INVALID' ? (
      <EmptyState title="The search could not be understood">
        <p>{problem.message}</p>
        {problem.remedy !== undefined && <p className="muted">{problem.remedy}</p>}
      </EmptyState>
    ) : (
      <FaultState problem={problem} retry={() => void found.refetch()} title="The search failed" />
    );
  }
  if (found.data === undefined || (hits.length === 0 && found.hasNextPage)) return <LoadingState what="Searching" />;
  const { pages } = found.data;
  const unindexed = pages[0]?.unindexed ?? 0;
  const sessions = new Map(pages.flatMap((page) => page.sessions).map((session) => [session.id, session]));
  const bySession = [...Map.groupBy(hits, ({ session }) => session)];
  return (
    <div className={classes.results}>
      <p className="muted" role="status">
        {counting(hits.length, 'line')} in {counting(bySession.length, 'session')}
        {found.hasNextPage ? ' so far, the newest first' : ''}
        {unindexed > 0 ? ` · ${counting(unindexed, 'stretch', 'stretches')} of recordings cannot be searched yet` : ''}
      </p>
      {hits.length === 0 && !found.hasNextPage && (
        <EmptyState title="No screen showed this">
          <p className="muted">
            All words have to stand near each other. <span className="mono">*part*</span> finds parts of words, of three characters or more.
          </p>
        </EmptyState>
      )}
      {bySession.map(([id, lines]) => (
        <SessionHits key={id} session={sessions.get(id)} id={id} hits={lines} />
      ))}
      {found.hasNextPage && (
        <Button onClick={() => void found.fetchNextPage()} loading={found.isFetchingNextPage}>
          Older lines
        </Button>
      )}
    </div>
  );
}

const SHOWN_AT_FIRST = 5;

function SessionHits({ session, id, hits }: { session: FoundSession | undefined; id: string; hits: readonly Hit[] }) {
  const [all, setAll] = useState(false);
  const shown = all ? hits : hits.slice(0, SHOWN_AT_FIRST);
  return (
    <section
      className={classes.session}
      aria-label={session === undefined ? id : `${session.principal} on ${session.target}, ${session.started}`}
    >
      <h2>
        {session !== undefined && (
          <>
            <Who principal={session.principal} onBehalfOf={session.onBehalfOf} /> <span className="faint">on</span>{' '}
            <TargetLabel name={session.target} />
            <TimeText time={session.started} />
          </>
        )}
        <Link href={routes.session(id)}>open</Link>
      </h2>
      {shown.map((hit) => (
        <HitLine key={`${hit.channel} ${hit.segment} ${hit.first} ${hit.line}`} hit={hit} />
      ))}
      {hits.length > shown.length && (
        <Button variant="subtle" onClick={() => setAll(true)}>
          {number(hits.length - shown.length)} more here
        </Button>
      )}
    </section>
  );
}

function HitLine({ hit }: { hit: Hit }) {
  const [, go] = useLocation();
  const to = routes.session(hit.session, { channel: hit.channel, at: Math.floor(hit.first / 100_000) / 10 });
  return (
    <a
      href={to}
      className={classes.hit}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey) return;
        event.preventDefault();
        go(to);
      }}
    >
      <span className={`mono faint ${classes.at}`} data-second={hit.before.length > 0 || undefined}>
        {length(hit.first)}
      </span>
      <span className={`mono ${classes.lines}`}>
        {hit.before.slice(-1).map((line) => (
          <span key="before" className="faint">
            {line === '' ? ' ' : line}
          </span>
        ))}
        <span>{marked(hit)}</span>
        {hit.after.slice(0, 1).map((line) => (
          <span key="after" className="faint">
            {line === '' ? ' ' : line}
          </span>
        ))}
      </span>
    </a>
  );
}

function marked({ line, matches }: Hit) {
  let at = 0;
  const parts = matches.flatMap(([from, to]) => {
    const before = line.slice(at, from);
    at = to;
    return [before, <mark key={from}>{line.slice(from, to)}</mark>];
  });
  return [...parts, line.slice(at)];
}
