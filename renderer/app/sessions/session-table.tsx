import { useVirtualizer } from '@tanstack/react-virtual';
import { type MouseEvent, useCallback, useEffect, useRef, useState } from 'react';
import { useKeys } from '../keyboard/use-keys.tsx';
import { lastPlace, rememberPlace } from './last-place.ts';
import { SessionTableRow } from './session-row.tsx';
import classes from './session-table.module.css';
import type { ListedSession, SessionPages } from './use-session-pages.ts';

const ROW_PIXELS = 34;
const HEAD_PIXELS = 32;
const columns = ['', 'Started', 'Who', 'Target', '', 'Length', 'What', 'Activity', 'Notable', 'Evidence'];
const names = ['Choose', 'Started', 'Who', 'Target', 'Protocol', 'Length', 'What', 'Activity', 'Notable', 'Evidence'];

export interface SessionTableProps {
  /** What is asked for: whoever comes back to it finds the place where they were. */
  readonly query: string;
  readonly pages: SessionPages;
  readonly chosen: ReadonlySet<string>;
  readonly onChoose: (chosen: ReadonlySet<string>) => void;
  readonly onOpen: (session: ListedSession) => void;
  /** Which rows can be seen, and whether the newest is among them. */
  readonly onView: (view: { from: number; to: number; atTop: boolean }) => void;
}

export function SessionTable({ query, pages, chosen, onChoose, onOpen, onView }: SessionTableProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const total = pages.total ?? 0;
  const [current, setCurrent] = useState(() => lastPlace(query).current);
  const rows = useVirtualizer({
    count: total,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PIXELS,
    overscan: 10,
    paddingStart: HEAD_PIXELS,
    scrollPaddingStart: HEAD_PIXELS,
    useFlushSync: false,
    initialOffset: () => lastPlace(query).offset,
  });
  const items = rows.getVirtualItems();
  const from = items[0]?.index ?? 0;
  const to = items.at(-1)?.index ?? 0;
  const atTop = (rows.scrollOffset ?? 0) < ROW_PIXELS / 2;
  useEffect(() => onView({ from, to, atTop }), [from, to, atTop, onView]);

  const offset = rows.scrollOffset ?? 0;
  useEffect(() => rememberPlace(query, { current, offset }), [query, current, offset]);

  const move = (to: number) => {
    const next = Math.max(0, Math.min(total - 1, to));
    setCurrent(next);
    rows.scrollToIndex(next, { align: 'auto' });
  };
  const inPage = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 400) / ROW_PIXELS) - 2);
  const latest = useRef({ pages, chosen, onChoose });
  useEffect(() => {
    latest.current = { pages, chosen, onChoose };
  });
  const choose = useCallback((at: number) => {
    const { pages: now, chosen: before, onChoose: tell } = latest.current;
    const session = now.row(at);
    if (session === undefined) return;
    const next = new Set(before);
    if (!next.delete(session.id)) next.add(session.id);
    tell(next);
  }, []);
  const point = useCallback((at: number, session: ListedSession, event: MouseEvent) => {
    setCurrent(at);
    scroller.current?.focus({ preventScroll: true });
    if (!(event.metaKey || event.ctrlKey || event.shiftKey)) open.current(session);
  }, []);
  const open = useRef(onOpen);
  useEffect(() => {
    open.current = onOpen;
  });
  const session = pages.row(current);
  const group = 'Sessions';
  useKeys([
    { keys: ['ArrowDown', 'j'], label: 'Next session', group, run: () => move(current + 1) },
    { keys: ['ArrowUp', 'k'], label: 'Session before', group, run: () => move(current - 1) },
    { keys: ['PageDown'], label: 'A page down', group, run: () => move(current + inPage) },
    { keys: ['PageUp'], label: 'A page up', group, run: () => move(current - inPage) },
    { keys: ['Home'], label: 'Newest session', group, run: () => move(0) },
    { keys: ['End'], label: 'Oldest session', group, run: () => move(total - 1) },
    { keys: ['x'], label: 'Choose the session', group, run: () => choose(current) },
    { keys: ['Enter', 'o'], label: 'Replay the session', group, run: () => session !== undefined && onOpen(session) },
  ]);
  return (
    <div className={classes.table}>
      <div
        ref={scroller}
        className={classes.scroller}
        role="grid"
        aria-label="Sessions"
        aria-rowcount={total + 1}
        aria-multiselectable
        tabIndex={0}
        aria-activedescendant={session === undefined ? undefined : `session-${session.id}`}
      >
        <div role="row" aria-rowindex={1} className={classes.head}>
          {columns.map((column, at) => (
            <span role="columnheader" key={names[at]}>
              {column === '' ? <span className="heard">{names[at]}</span> : column}
            </span>
          ))}
        </div>
        <div className={classes.sheet} role="rowgroup" style={{ height: rows.getTotalSize() - HEAD_PIXELS }}>
          {items.map(({ index, start }) => {
            const row = pages.row(index);
            return (
              <SessionTableRow
                key={index}
                at={index}
                top={start - HEAD_PIXELS}
                session={row}
                activity={row === undefined ? undefined : pages.activity(row.id)}
                current={index === current}
                chosen={row !== undefined && chosen.has(row.id)}
                onOpen={onOpen}
                onPoint={point}
                onChoose={choose}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}
