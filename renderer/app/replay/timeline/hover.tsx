import { useEffect, useRef, useState } from 'react';
import { printable } from '../../../bundle-page/interface/printable.ts';
import { length } from '../../design/format.ts';
import type { Playback } from '../playback.ts';
import { type Mark, sortNames } from './mark.ts';
import { Thumbnails } from './thumbnail.ts';
import classes from './timeline.module.css';

/** A place of the timeline that a pointer or the focus is at. */
export interface Pointed {
  readonly share: number;
  readonly at: number;
  readonly marks: readonly Mark[];
}

const WIDE = 316;
const MOST_MARKS = 4;
/** A pointer that only passes by asks for no picture. */
const REST_MILLIS = 35;

/** What there is at that moment: its time, its marks, and a small picture of the screen. */
export function Hover({ playback, pointed, width }: { playback: Playback; pointed: Pointed; width: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const thumbnails = useRef<Thumbnails>(undefined);
  const [drawn, setDrawn] = useState(false);
  const { at, marks, share } = pointed;
  useEffect(() => {
    const made = new Thumbnails(playback.driver);
    thumbnails.current = made;
    return () => {
      thumbnails.current = undefined;
      void made.close();
    };
  }, [playback]);
  useEffect(() => {
    const timer = window.setTimeout(() => {
      const [drawer, node] = [thumbnails.current, canvas.current];
      if (drawer === undefined || node === null) return;
      // Closed meanwhile, it has nothing to show any more.
      drawer.draw(at, node).then(
        (shown) => shown && setDrawn(true),
        () => undefined,
      );
    }, REST_MILLIS);
    return () => window.clearTimeout(timer);
  }, [at]);
  const left = Math.max(0, Math.min(width - WIDE, share * width - WIDE / 2));
  const damage = playback.player.timeline.damage.find(({ from, to }) => at >= from && at <= to);
  return (
    <div className={classes.hover} style={{ left }} aria-hidden="true">
      <canvas ref={canvas} className={classes.thumbnail} data-drawn={drawn || undefined} />
      <div className={classes.about}>
        <span className="mono">{length(at, true)}</span>
        {marks.length === 0 && damage !== undefined && <span className={classes.words}>{printable(damage.words)}</span>}
      </div>
      {marks.slice(0, MOST_MARKS).map(({ sort, title, at: when }) => (
        <div key={`${when}${title}`} className={classes.about}>
          <i className={classes.sign} data-sort={sort} />
          <span className="faint">{sortNames[sort]}</span>
          <span className={`${classes.words} mono`}>{printable(title)}</span>
        </div>
      ))}
      {marks.length > MOST_MARKS && <div className={classes.about}>and {marks.length - MOST_MARKS} more</div>}
    </div>
  );
}
