import { Button, Menu, TextInput } from '@mantine/core';
import { useCallback, useMemo, useState } from 'react';
import { useLocation, useSearchParams } from 'wouter';
import { useHasRole } from '../client/operator-context.tsx';
import { counting, number } from '../design/format.ts';
import { Screen, Spring } from '../design/pane.tsx';
import { EmptyState, FaultState, LoadingState } from '../design/states.tsx';
import { ExportDialog } from '../export/export-dialog.tsx';
import { routes } from '../routes.ts';
import { FirstSteps } from './first-steps.tsx';
import { QueryBar } from './query-bar.tsx';
import { builtInViews, removeView, savedViews, saveView } from './saved-views.ts';
import { readQuery } from './session-query.ts';
import { SessionTable } from './session-table.tsx';
import classes from './sessions-screen.module.css';
import { type ListedSession, useSessionPages } from './use-session-pages.ts';

export function SessionsScreen() {
  const [, go] = useLocation();
  const [search, setSearch] = useSearchParams();
  const query = search.get('q') ?? '';
  const read = useMemo(() => readQuery(query), [query]);
  const [view, setView] = useState({ from: 0, to: 40, atTop: true });
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const pages = useSessionPages(read.question, view, view.atTop);
  const ask = useCallback((next: string) => setSearch(next === '' ? {} : { q: next }, { replace: true }), [setSearch]);
  const [exporting, setExporting] = useState(false);
  const mayExport = useHasRole('auditor', 'admin');
  // What a bundle is asked for is less than what a table can be asked for: then the sessions are chosen by hand.
  const { tag, flag, review, ...choice } = read.question;
  const byHand = tag !== undefined || flag !== undefined || review !== undefined;
  const open = useCallback((session: ListedSession) => go(routes.session(session.id)), [go]);
  return (
    <Screen
      label="Sessions"
      bar={
        <>
          <QueryBar query={query} read={read} onQuery={ask} />
          <Views query={query} onView={ask} />
          <Spring />
          {pages.newer > 0 && (
            <Button color="teal" variant="light" onClick={pages.showNewer}>
              {counting(pages.newer, 'new session')}
            </Button>
          )}
          <span className="muted" role="status">
            {chosen.size > 0 ? `${number(chosen.size)} chosen of ` : ''}
            {pages.total === undefined ? '' : counting(pages.total, 'session')}
          </span>
          {mayExport && (
            <Button
              disabled={chosen.size === 0 && (byHand || (pages.total ?? 0) === 0)}
              title={chosen.size === 0 && byHand ? 'Choose the sessions first: X, or the boxes at the left' : undefined}
              onClick={() => setExporting(true)}
            >
              Export…
            </Button>
          )}
        </>
      }
    >
      {pages.problem !== undefined ? (
        <FaultState problem={pages.problem} retry={pages.retry} title="The sessions could not be listed" />
      ) : pages.total === undefined ? (
        <LoadingState what="Loading sessions" />
      ) : pages.total === 0 ? (
        query === '' ? (
          <FirstSteps />
        ) : (
          <EmptyState title="No session answers this">
            <p className="muted">Everything that is said has to be met. Take something away, or ask for another time.</p>
            <Button onClick={() => ask('')}>Show all sessions</Button>
          </EmptyState>
        )
      ) : (
        <SessionTable query={query} pages={pages} chosen={chosen} onChoose={setChosen} onOpen={open} onView={setView} />
      )}
      {exporting && <ExportDialog {...(chosen.size > 0 ? { sessions: [...chosen] } : { choice })} onClose={() => setExporting(false)} />}
    </Screen>
  );
}

function Views({ query, onView }: { query: string; onView: (query: string) => void }) {
  const [own, setOwn] = useState(() => savedViews(localStorage));
  const [name, setName] = useState('');
  const known = [...own, ...builtInViews].find((view) => view.query === query);
  return (
    <Menu position="bottom-start" width={280} closeOnItemClick>
      <Menu.Target>
        <Button>{known === undefined ? 'Views' : known.name}</Button>
      </Menu.Target>
      <Menu.Dropdown>
        {builtInViews.map((view) => (
          <Menu.Item key={view.name} onClick={() => onView(view.query)}>
            {view.name}
          </Menu.Item>
        ))}
        {own.length > 0 && <Menu.Divider />}
        {own.map((view) => (
          <div key={view.name} className={classes.own}>
            <Menu.Item onClick={() => onView(view.query)}>{view.name}</Menu.Item>
            <Menu.Item
              className={classes.remove}
              aria-label={`Remove the view ${view.name}`}
              onClick={() => setOwn(removeView(localStorage, view.name))}
            >
              ✕
            </Menu.Item>
          </div>
        ))}
        {known === undefined && (
          <>
            <Menu.Divider />
            <form
              className={classes.save}
              onSubmit={(event) => {
                event.preventDefault();
                if (name.trim() === '') return;
                setOwn(saveView(localStorage, { name: name.trim(), query }));
                setName('');
              }}
            >
              <TextInput
                aria-label="Name of the view"
                placeholder="Save this filter as…"
                maxLength={60}
                value={name}
                onChange={(event) => setName(event.currentTarget.value)}
              />
              <Button type="submit">Save</Button>
            </form>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
