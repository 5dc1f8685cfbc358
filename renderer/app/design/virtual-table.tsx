import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type ReactNode, useEffect, useId, useMemo, useRef, useState } from 'react';
import classes from './virtual-table.module.css';

export interface TableColumn {
  readonly name: string;
  readonly title: string;
  /** What stands in it, for whoever points at its head. */
  readonly says?: string;
  /** Pixels that its content wants. */
  readonly width: number;
  /** It takes of what is left over, and gives some where there is too little. */
  readonly grows?: boolean;
}

export interface VirtualTableProps {
  readonly label: string;
  readonly columns: readonly TableColumn[];
  readonly count: number;
  /** The content of a cell. */
  readonly cell: (row: number, column: string) => ReactNode;
  readonly activate?: (row: number) => void;
  readonly tone?: (row: number) => 'deny' | undefined;
}

const ROW_PIXELS = 33;
const HEAD_PIXELS = 31;

/** A table of any length of which only the rows in sight exist. What is wider than its place is scrolled to, never cut off. */
export function VirtualTable({ label, columns, count, cell, activate, tone }: VirtualTableProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const id = useId();
  const [current, setCurrent] = useState(0);
  const rows = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PIXELS,
    overscan: 12,
    paddingStart: HEAD_PIXELS,
    scrollPaddingStart: HEAD_PIXELS,
    useFlushSync: false,
  });
  useEffect(() => setCurrent((before) => Math.max(0, Math.min(before, count - 1))), [count]);
  const { template, width } = useMemo(() => layoutOf(columns), [columns]);
  const press = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target !== event.currentTarget) return;
    const inPage = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 400) / ROW_PIXELS) - 2);
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: inPage, PageUp: -inPage, Home: -count, End: count }[event.key];
    if (event.key === 'Enter') activate?.(current);
    else if (by === undefined) return;
    else {
      const next = Math.max(0, Math.min(count - 1, current + by));
      setCurrent(next);
      rows.scrollToIndex(next, { align: 'auto' });
    }
    event.preventDefault();
  };
  return (
    <div
      ref={scroller}
      className={classes.scroller}
      role="grid"
      aria-label={label}
      aria-rowcount={count + 1}
      aria-colcount={columns.length}
      tabIndex={0}
      aria-activedescendant={count === 0 ? undefined : `${id}-${current}`}
      onKeyDown={press}
    >
      <div role="rowgroup" className={classes.head} style={{ minWidth: width }}>
        <div role="row" aria-rowindex={1} className={classes.row} style={{ gridTemplateColumns: template }}>
          {columns.map(({ name, title, says }) => (
            <span role="columnheader" key={name} title={says}>
              {title}
            </span>
          ))}
        </div>
      </div>
      <div role="rowgroup" className={classes.sheet} style={{ height: rows.getTotalSize() - HEAD_PIXELS, minWidth: width }}>
        {rows.getVirtualItems().map(({ index, start }) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the grid takes the keys for all of its rows
          <div
            key={index}
            id={`${id}-${index}`}
            role="row"
            aria-rowindex={index + 2}
            aria-selected={index === current}
            tabIndex={-1}
            className={classes.row}
            data-activates={activate !== undefined || undefined}
            data-tone={tone?.(index)}
            style={{ gridTemplateColumns: template, transform: `translateY(${start - HEAD_PIXELS}px)` }}
            onClick={() => {
              setCurrent(index);
              activate?.(index);
            }}
          >
            {columns.map(({ name }) => (
              <span role="gridcell" key={name}>
                {cell(index, name)}
              </span>
            ))}
          </div>
        ))}
      </div>
    </div>
  );
}

const GAP_PIXELS = 12;
const EDGE_PIXELS = 14;
/** As much of what it wants does a column that grows keep at least, before the table is scrolled. */
const GIVES = 0.68;
const NARROWEST = 52;

function layoutOf(columns: readonly TableColumn[]): { template: string; width: number } {
  const grows = columns.some((column) => column.grows === true);
  const narrowest = ({ width, grows: own }: TableColumn) =>
    own === true ? Math.max(Math.min(width, NARROWEST), Math.round(width * GIVES)) : width;
  const template = columns
    .map((column) => (column.grows === true || !grows ? `minmax(${narrowest(column)}px, ${column.width}fr)` : `${column.width}px`))
    .join(' ');
  const width = columns.reduce((sum, column) => sum + narrowest(column) + GAP_PIXELS, 2 * EDGE_PIXELS - GAP_PIXELS);
  return { template, width };
}
