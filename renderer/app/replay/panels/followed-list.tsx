import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import type { Playback } from '../playback.ts';
import { lineAt } from '../transcript.ts';
import classes from './transcript.module.css';

const ROW = 28;
/** Whoever has scrolled reads there, and is not taken back at once. */
const READING_MILLIS = 4000;
/** Rows before the end at which more are wanted. */
const NEAR = 200;

interface Followed {
  readonly key: string;
  readonly at: number;
}

/** Rows in the order of their moments, however many there are. The one that is shown at the moment is in sight. */
export function FollowedList<Row extends Followed>({
  playback,
  rows,
  label,
  nearEnd,
  children,
}: {
  playback: Playback;
  rows: readonly Row[];
  label: string;
  /** Called when the end is near, in sight or in time. */
  nearEnd?: () => void;
  children: (row: Row, current: boolean) => ReactNode;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  const scrolledAt = useRef(Number.NEGATIVE_INFINITY);
  const [here, setHere] = useState(-1);
  const list = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => ROW, overscan: 12 });
  useEffect(() => playback.onFrame(() => setHere(lineAt(rows, playback.player.position))), [playback, rows]);
  useEffect(() => {
    if (here >= 0 && performance.now() - scrolledAt.current > READING_MILLIS) list.scrollToIndex(here, { align: 'auto' });
  }, [here, list]);
  const items = list.getVirtualItems();
  const last = Math.max(here, items.at(-1)?.index ?? 0);
  useEffect(() => {
    if (last >= rows.length - NEAR) nearEnd?.();
  }, [last, rows.length, nearEnd]);
  return (
    <div
      ref={scroller}
      className={classes.scroller}
      onWheel={() => {
        scrolledAt.current = performance.now();
      }}
    >
      <div className={classes.rows} role="list" aria-label={label} style={{ height: list.getTotalSize() }}>
        {items.map(({ index, start }) => {
          const row = rows[index];
          return row === undefined ? undefined : (
            <div
              key={row.key}
              role="listitem"
              className={classes.place}
              style={{ transform: `translateY(${start}px)` }}
              aria-posinset={index + 1}
              aria-setsize={rows.length}
            >
              {children(row, index === here)}
            </div>
          );
        })}
      </div>
    </div>
  );
}
