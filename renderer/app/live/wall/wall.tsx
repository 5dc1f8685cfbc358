import { Button } from '@mantine/core';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { useHasRole } from '../../client/operator-context.tsx';
import { counting } from '../../design/format.ts';
import { Key } from '../../design/labels.tsx';
import { Screen, Spring } from '../../design/pane.tsx';
import { EmptyState, FaultState, LoadingState } from '../../design/states.tsx';
import { useKeys } from '../../keyboard/use-keys.tsx';
import { routes } from '../../routes.ts';
import { DeedButtons } from '../supervise/deed-buttons.tsx';
import { LockDialog } from '../supervise/lock-dialog.tsx';
import { chooseWatched, type Direction, inSight, layWall, moved } from './layout.ts';
import type { Running } from './order.ts';
import { Tile } from './tile.tsx';
import { useRunning } from './use-running.ts';
import classes from './wall.module.css';

/** An operator may have 16 WebSockets open: events are one, and another window wants some as well. */
const MOST_WATCHED = 12;

/** Every session that runs, as large as the window allows, those that need somebody first. */
export function Wall() {
  const { running, problem, more, retry } = useRunning();
  const [selected, setSelected] = useState<string>();
  const [locking, setLocking] = useState(false);
  const maySupervise = useHasRole('reviewer', 'admin');
  const waiting = running?.filter(({ deadline }) => deadline !== undefined).length ?? 0;
  // What was selected and is over is not replaced by another one: keys would act on what nobody chose.
  const current = running?.find(({ id }) => id === selected);
  return (
    <Screen
      label="Live"
      bar={
        <>
          <span role="status">
            {running === undefined
              ? 'Live'
              : `${counting(running.length, 'session')} ${running.length === 1 ? 'runs' : 'run'}${more ? ', and more' : ''}`}
            {waiting > 0 && <b className={classes.waiting}>{` · ${waiting === 1 ? '1 waits' : `${waiting} wait`} for approval`}</b>}
          </span>
          {running !== undefined && running.length > 1 && (
            <span className="faint">what needs a person first, then by risk, then the newest</span>
          )}
          <Spring />
          <Button onClick={() => setLocking(true)}>{maySupervise ? 'Lock a principal…' : 'Locked principals…'}</Button>
        </>
      }
    >
      {problem !== undefined && running === undefined ? (
        <FaultState problem={problem} retry={retry} title="What runs could not be listed" />
      ) : running === undefined ? (
        <LoadingState what="Looking what runs" />
      ) : running.length === 0 ? (
        <EmptyState title="Nothing runs at the moment">
          <p className="muted">A session shows here as soon as somebody connects through the gateway, and you see its terminal at once.</p>
          <Link href={routes.sessions}>Look at sessions that are over</Link>
        </EmptyState>
      ) : (
        <Tiles running={running} selected={selected} onSelect={setSelected} />
      )}
      {running !== undefined && running.length > 0 && (
        <div className={classes.actions}>
          {current === undefined ? (
            <span className="muted">
              {selected === undefined ? (
                <>
                  Arrows choose, <Key>Enter</Key> opens.
                </>
              ) : (
                'What was selected is over.'
              )}
            </span>
          ) : (
            <span className={classes.chosen}>
              <b>{current.principal}</b> <span className="faint">on</span> <b>{current.target}</b> <span className="muted">selected</span>
            </span>
          )}
          <Spring />
          <DeedButtons
            subject={current && { id: current.id, principal: current.principal, target: current.target }}
            standing={current ?? { paused: false, stepping: false }}
          />
          <WatchButton session={current?.id} />
        </div>
      )}
      {locking && <LockDialog {...(current === undefined ? {} : { principal: current.principal })} onClose={() => setLocking(false)} />}
    </Screen>
  );
}

function WatchButton({ session }: { session: string | undefined }) {
  const [, go] = useLocation();
  return (
    <Button variant="filled" disabled={session === undefined} onClick={() => session !== undefined && go(routes.liveSession(session))}>
      Watch
    </Button>
  );
}

interface TilesProps {
  readonly running: readonly Running[];
  readonly selected: string | undefined;
  readonly onSelect: (id: string) => void;
}

function Tiles({ running, selected, onSelect }: TilesProps) {
  const place = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [scrolled, setScrolled] = useState(0);
  useLayoutEffect(() => {
    const { current } = place;
    if (current === null) return undefined;
    const measure = () => setSize({ width: current.clientWidth - PADDING * 2, height: current.clientHeight - PADDING * 2 });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  const layout = layWall(size, running.length);
  const { from, to } = inSight(layout, running.length, scrolled, size.height);
  const [watched, setWatched] = useState<ReadonlySet<string>>(new Set());
  const sight = running.slice(from, to).map(({ id }) => id);
  const chosen = size.width === 0 ? new Set<string>() : chooseWatched(sight, watched, MOST_WATCHED);
  const key = [...chosen].join();
  useEffect(() => {
    setWatched(new Set(key === '' ? [] : key.split(',')));
  }, [key]);
  const reachable = running.some(({ id }) => id === selected) ? selected : undefined;
  const go = (direction: Direction) => {
    const at = running.findIndex(({ id }) => id === selected);
    const next = running[at === -1 ? 0 : moved(at, direction, layout.columns, running.length)];
    if (next === undefined) return;
    onSelect(next.id);
    list.current?.querySelector<HTMLElement>(`[data-session="${next.id}"]`)?.focus();
  };
  const arrow = (name: string, direction: Direction, label: string) => ({ keys: [name], label, group: 'Live', run: () => go(direction) });
  useKeys([
    arrow('ArrowLeft', 'left', 'Session to the left'),
    arrow('ArrowRight', 'right', 'Session to the right'),
    arrow('ArrowUp', 'up', 'Session above'),
    arrow('ArrowDown', 'down', 'Session below'),
    arrow('Home', 'first', 'First session'),
    arrow('End', 'last', 'Last session'),
  ]);
  return (
    <div
      ref={place}
      className={classes.place}
      data-scrolls={layout.scrolls || undefined}
      onScroll={({ currentTarget }) => setScrolled(currentTarget.scrollTop)}
    >
      <ul
        ref={list}
        className={classes.tiles}
        aria-label="Running sessions"
        style={{ gridTemplateColumns: `repeat(${layout.columns}, minmax(0, 1fr))`, gridAutoRows: layout.tileHeight }}
      >
        {running.map((session, at) => (
          <Tile
            key={session.id}
            session={session}
            watched={chosen.has(session.id)}
            selected={session.id === selected}
            reached={reachable === undefined ? at === 0 : session.id === reachable}
            onSelect={() => onSelect(session.id)}
          />
        ))}
      </ul>
    </div>
  );
}

const PADDING = 14;
