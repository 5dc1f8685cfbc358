import { TextInput } from '@mantine/core';
import { memo, useDeferredValue, useMemo, useState } from 'react';
import type { BundlePage, BundlePageSession } from '../../../contract/bundle-page.ts';
import { printable } from '../../bundle-page/interface/printable.ts';
import { sessionFilter } from '../../bundle-page/screens/session-filter.ts';
import { counting, number } from '../design/format.ts';
import { ProtocolBadge, Tell, Who } from '../design/labels.tsx';
import { EmptyState } from '../design/states.tsx';
import { type TableColumn, VirtualTable } from '../design/virtual-table.tsx';
import classes from './bundle.module.css';
import { ToldTime, toldLength } from './told-time.tsx';
import type { SessionEvidence } from './verdict.ts';

const columns: readonly TableColumn[] = [
  { name: 'started', title: 'Started', width: 118 },
  { name: 'who', title: 'Who', width: 230, grows: true },
  { name: 'target', title: 'Target', width: 84, grows: true },
  { name: 'protocol', title: 'Protocol', width: 72 },
  { name: 'length', title: 'Length', width: 56 },
  { name: 'what', title: 'What', width: 120, grows: true },
  { name: 'evidence', title: 'Evidence', width: 104 },
];

/** The sessions of a bundle. Each can be replayed as soon as the records are read. */
export const BundleSessions = memo(function BundleSessions({
  page,
  evidence,
  choose,
}: {
  page: BundlePage;
  evidence: SessionEvidence;
  choose: (session: string) => void;
}) {
  const [query, setQuery] = useState('');
  const wanted = useDeferredValue(query);
  const sessions = useMemo(() => {
    const fits = sessionFilter(wanted);
    return page.sessions.filter(fits).toSorted((a, b) => (a.started < b.started ? 1 : -1));
  }, [page, wanted]);
  return (
    <>
      <div className={classes.filter}>
        <TextInput
          aria-label="Filter the sessions"
          placeholder="Filter: words, agent:name, target:name, -state:live"
          value={query}
          onChange={(event) => setQuery(event.currentTarget.value)}
          spellCheck={false}
        />
        <span className="muted" role="status">
          {sessions.length === page.sessions.length
            ? counting(sessions.length, 'session')
            : `${number(sessions.length)} of ${counting(page.sessions.length, 'session')}`}
        </span>
      </div>
      {sessions.length === 0 ? (
        <EmptyState title={page.sessions.length === 0 ? 'No session is in this bundle' : 'No session has these words'}>
          <p className="muted">
            {page.sessions.length === 0
              ? 'Nothing answered the question that it was made for, and it proves that.'
              : 'Take something away.'}
          </p>
        </EmptyState>
      ) : (
        <VirtualTable
          label="Sessions of the bundle"
          columns={columns}
          count={sessions.length}
          cell={(row, column) => {
            const session = sessions[row];
            return session === undefined ? null : cellOf(session, column, evidence);
          }}
          activate={(row) => {
            const session = sessions[row];
            if (session !== undefined) choose(session.id);
          }}
          tone={(row) => ((evidence.faults.get(sessions[row]?.id ?? '') ?? 0) > 0 ? 'deny' : undefined)}
        />
      )}
    </>
  );
});

function cellOf(session: BundlePageSession, column: string, evidence: SessionEvidence) {
  switch (column) {
    case 'started':
      return <ToldTime time={session.started} />;
    case 'who':
      return (
        <Who principal={printable(session.principal)} onBehalfOf={session.onBehalfOf === null ? null : printable(session.onBehalfOf)} />
      );
    case 'target':
      return printable(session.target);
    case 'protocol':
      return <ProtocolBadge protocol={printable(session.protocol)} />;
    case 'length':
      return <span className="mono">{session.ended === null ? 'ran on' : (toldLength(session.started, session.ended) ?? '?')}</span>;
    case 'what':
      return <span className="mono muted">{whatOf(session)}</span>;
    default:
      return <Evidence session={session} evidence={evidence} />;
  }
}

function whatOf({ recordings, state }: BundlePageSession): string {
  if (state === 'erased') return 'erased';
  const [first, ...rest] = recordings;
  if (first === undefined) return 'nothing recorded';
  return `${printable(first.command ?? first.kind)}${rest.length > 0 ? ` and ${rest.length} more` : ''}`;
}

function Evidence({ session, evidence: { faults, stands } }: { session: BundlePageSession; evidence: SessionEvidence }) {
  const own = faults.get(session.id) ?? 0;
  if (own > 0) return <Tell tone="deny">✗ {counting(own, 'fault')}</Tell>;
  if (stands === 'running') return <span className="faint">○ not yet</span>;
  if (stands === 'failed') return <Tell tone="ask">! see the steps</Tell>;
  return stands === 'limited' ? <Tell tone="ask">! in part</Tell> : <Tell tone="ok">✓ as recorded</Tell>;
}
