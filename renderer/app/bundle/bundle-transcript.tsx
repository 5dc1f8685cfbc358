import { TextInput } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import type { TranscriptItem } from '../../../contract/replay/recording-index.ts';
import { printable } from '../../bundle-page/interface/printable.ts';
import { counting, length } from '../design/format.ts';
import type { Playback } from '../replay/playback.ts';
import classes from './bundle.module.css';

const ROW_PIXELS = 24;

/** What happened on the channel, line by line, made from the recording that plays. A click goes there. */
export function BundleTranscript({ playback, items }: { playback: Playback; items: readonly TranscriptItem[] }) {
  const [words, setWords] = useState('');
  const wanted = useDeferredValue(words).toLowerCase();
  const shown = useMemo(() => (wanted === '' ? items : items.filter(({ text }) => text.toLowerCase().includes(wanted))), [items, wanted]);
  const scroller = useRef<HTMLDivElement>(null);
  const [here, setHere] = useState(-1);
  const rows = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PIXELS,
    overscan: 12,
    useFlushSync: false,
  });
  useEffect(() => playback.onFrame(() => setHere(lastBefore(shown, playback.player.position))), [playback, shown]);
  useEffect(() => {
    if (here >= 0) rows.scrollToIndex(here, { align: 'auto' });
  }, [here, rows]);
  const tenths = playback.player.outline.duration < 60_000_000;
  return (
    <section className={classes.transcript} aria-label="Transcript">
      <TextInput
        className={classes.find ?? ''}
        aria-label="Filter the transcript"
        placeholder={`Filter ${counting(items.length, 'line')}`}
        value={words}
        onChange={(event) => setWords(event.currentTarget.value)}
        spellCheck={false}
      />
      <div ref={scroller} className={classes.lines}>
        <div className={classes.sheet} role="list" aria-label="Lines" style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map(({ index, start }) => {
            const item = shown[index];
            return item === undefined ? undefined : (
              <div
                key={index}
                role="listitem"
                className={classes.line}
                aria-posinset={index + 1}
                aria-setsize={shown.length}
                style={{ transform: `translateY(${start}px)` }}
              >
                <button
                  type="button"
                  data-kind={item.kind}
                  aria-current={index === here || undefined}
                  onMouseDown={(event) => event.preventDefault()}
                  onClick={() => playback.seek(item.at)}
                  title={printable(item.text)}
                >
                  <span className="mono faint">{length(item.at, tenths)}</span>
                  <span className={item.kind === 'note' || item.kind === 'damage' ? '' : 'mono'}>{printable(item.text) || '⏎'}</span>
                </button>
              </div>
            );
          })}
        </div>
      </div>
    </section>
  );
}

/** The last line at or before a moment; -1: none. */
function lastBefore(items: readonly TranscriptItem[], at: number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((items[middle]?.at ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
