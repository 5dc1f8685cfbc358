import { useComputedColorScheme } from '@mantine/core';
import { type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef, useState } from 'react';
import { length } from '../../design/format.ts';
import type { Playback } from '../playback.ts';
import { spokenSpan } from '../spoken-span.ts';
import { usePlaybackState } from '../use-playback.ts';
import { coloursOf, drawTimeline } from './draw-timeline.ts';
import { Hover, type Pointed } from './hover.tsx';
import { type Cluster, clustersOf, gathered, momentAt, shareOf } from './layout.ts';
import { type Mark, ranking, sortNames } from './mark.ts';
import classes from './timeline.module.css';

/** Pixels within which the pointer means a mark; closer than this, marks look like one. */
const REACH = 6;
const TOGETHER = 4;
/** Marks that the keyboard goes to as one: as far apart as targets have to be (WCAG 2.2, 2.5.8). */
const STOP = 24;

/** The whole recording in one line, to move in. */
export function Timeline({
  playback,
  marks,
  watched,
}: {
  playback: Playback;
  marks: readonly Mark[];
  watched: readonly (readonly [number, number])[];
}) {
  const { folding, grown, duration } = usePlaybackState(playback);
  const scheme = useComputedColorScheme('dark');
  const [width, setWidth] = useState(800);
  const place = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const head = useRef<HTMLDivElement>(null);
  const slider = useRef<HTMLDivElement>(null);
  const dragging = useRef(false);
  const [pointed, setPointed] = useState<Pointed>();

  useEffect(() => {
    const node = place.current;
    if (node === null) return undefined;
    const observer = new ResizeObserver(() => setWidth(node.clientWidth));
    observer.observe(node);
    return () => observer.disconnect();
  }, []);

  // Drawn again for another size, another scheme, and when the recording has grown or is folded otherwise.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  useEffect(() => {
    const node = canvas.current;
    if (node !== null) drawTimeline(node, { playback, watched }, coloursOf(node));
  }, [playback, watched, folding, grown, duration, width, scheme]);

  useEffect(
    () =>
      playback.onFrame(() => {
        const { playTime, position, outline } = playback.player;
        if (head.current !== null) head.current.style.transform = `translateX(${shareOf(playTime, position) * width}px)`;
        const node = slider.current;
        const seconds = String(Math.round(position / 1e6));
        if (node === null || node.getAttribute('aria-valuenow') === seconds) return;
        node.setAttribute('aria-valuenow', seconds);
        node.setAttribute('aria-valuemax', String(Math.round(outline.duration / 1e6)));
        node.setAttribute('aria-valuetext', `${spokenSpan(position)} of ${spokenSpan(outline.duration)}`);
      }),
    [playback, width],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: growth and folding make it another one
  const clusters = useMemo(
    () => clustersOf(marks, playback.player.playTime, TOGETHER / Math.max(1, width)),
    [marks, playback, width, folding, grown],
  );

  const stops = useMemo(() => gathered(clusters, STOP / Math.max(1, width)), [clusters, width]);

  const shareAt = (event: PointerEvent) => {
    const { left, width: wide } = (place.current ?? event.currentTarget).getBoundingClientRect();
    return Math.max(0, Math.min(1, (event.clientX - left) / Math.max(1, wide)));
  };
  const clusterNear = (share: number) =>
    clusters.reduce<(typeof clusters)[number] | undefined>((best, each) => {
      const away = Math.abs(each.share - share);
      return away * width < REACH && away < Math.abs((best?.share ?? 2) - share) ? each : best;
    }, undefined);
  const point = (event: PointerEvent) => {
    const share = shareAt(event);
    const near = dragging.current ? undefined : clusterNear(share);
    setPointed({
      share: near?.share ?? share,
      at: near?.first.at ?? momentAt(playback.player.playTime, share),
      marks: near?.marks ?? [],
    });
  };

  return (
    <div className={classes.timeline} ref={place}>
      <div
        ref={slider}
        className={classes.slider}
        role="slider"
        tabIndex={0}
        aria-label="Position in the recording"
        aria-valuemin={0}
        aria-valuemax={Math.round(duration / 1e6)}
        aria-valuenow={0}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          dragging.current = true;
          const share = shareAt(event);
          playback.seek(clusterNear(share)?.first.at ?? momentAt(playback.player.playTime, share));
        }}
        onPointerMove={(event) => {
          if (dragging.current) playback.seek(momentAt(playback.player.playTime, shareAt(event)));
          point(event);
        }}
        onPointerUp={() => {
          dragging.current = false;
        }}
        onPointerCancel={() => {
          dragging.current = false;
        }}
        onPointerLeave={() => setPointed(undefined)}
      >
        <canvas ref={canvas} className={classes.canvas} />
        <div className={classes.rail}>
          {clusters.map(({ share, first }) => (
            <i key={`${first.at}:${share}`} className={classes.mark} data-sort={first.sort} style={{ left: `${share * 100}%` }} />
          ))}
        </div>
      </div>
      <Stops clusters={stops} duration={duration} go={(at) => playback.seek(at)} point={setPointed} />
      <div ref={head} className={classes.head} aria-hidden="true" />
      {pointed !== undefined && <Hover playback={playback} pointed={pointed} width={width} />}
    </div>
  );
}

/** The marks for the keyboard: one stop of the tabulator, and then the arrow keys. A pointer means what it points at instead. */
function Stops({
  clusters,
  duration,
  go,
  point,
}: {
  clusters: readonly Cluster[];
  duration: number;
  go: (at: number) => void;
  point: (pointed: Pointed | undefined) => void;
}) {
  const [stop, setStop] = useState(0);
  const rail = useRef<HTMLDivElement>(null);
  const here = Math.min(stop, clusters.length - 1);
  const move = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by === undefined || event.shiftKey || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const next = Math.max(0, Math.min(clusters.length - 1, here + by));
    setStop(next);
    rail.current?.querySelectorAll<HTMLElement>('button')[next]?.focus();
  };
  return (
    <div className={classes.stops} ref={rail} role="group" aria-label="Marks" onKeyDown={move}>
      {clusters.map(({ share, marks, first }, index) => (
        <button
          key={`${first.at}:${share}`}
          type="button"
          style={{ left: `${share * 100}%` }}
          tabIndex={index === here ? 0 : -1}
          aria-label={labelOf(marks, duration)}
          onClick={() => go(first.at)}
          onFocus={() => {
            setStop(index);
            point({ share, at: first.at, marks });
          }}
          onBlur={() => point(undefined)}
        />
      ))}
    </div>
  );
}

/** The most telling of them first; of very many, some. */
function labelOf(marks: readonly Mark[], duration: number): string {
  const ranked = marks.toSorted((a, b) => ranking.indexOf(a.sort) - ranking.indexOf(b.sort));
  const told = ranked.slice(0, TOLD).map(({ at, sort, title }) => `${length(at, duration < 60_000_000)} ${sortNames[sort]}: ${title}`);
  return ranked.length > TOLD ? `${told.join('; ')}; and ${ranked.length - TOLD} more` : told.join('; ');
}

const TOLD = 3;
