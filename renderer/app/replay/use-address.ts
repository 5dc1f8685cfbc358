import { useCallback, useEffect, useMemo, useRef } from 'react';
import { useLocation, useSearch } from 'wouter';
import { addressOf, type PanelName, type Place, placeOf } from './place.ts';
import type { Playback } from './playback.ts';

/** Browsers take only so many changes of the address in a while; and nobody reads it while they drag. */
const WRITE_MILLIS = 400;

export interface Address {
  readonly place: Place;
  /** Says in the address what is shown now, at once. */
  readonly write: () => void;
  readonly showPanel: (panel: PanelName) => void;
  readonly showChannel: (channel: number, at?: number) => void;
  /** The playback whose moments the address tells. */
  readonly attach: (playback: Playback, channel: number) => () => void;
}

/** The place in the session, as the address says it: read from there, and written there when somebody goes somewhere. */
export function useAddress(session: string): Address {
  const search = useSearch();
  const [, go] = useLocation();
  const place = useMemo(() => placeOf(new URLSearchParams(search)), [search]);
  const latest = useRef({ place, go });
  const attached = useRef<{ playback: Playback; channel: number }>(undefined);
  const waiting = useRef<number>(undefined);
  useEffect(() => {
    latest.current = { place, go };
  });

  const write = useCallback(() => {
    window.clearTimeout(waiting.current);
    waiting.current = undefined;
    const now = attached.current;
    if (now === undefined) return;
    const { following, position } = now.playback.player;
    const told = addressOf(session, { ...latest.current.place, channel: now.channel, at: following ? undefined : position });
    // Whoever has gone on to another screen, which may still be on its way, is not called back.
    if (location.pathname !== told.split('?')[0]) return;
    if (`${location.pathname}${location.search}` !== told) latest.current.go(told, { replace: true });
  }, [session]);

  const attach = useCallback(
    (playback: Playback, channel: number) => {
      attached.current = { playback, channel };
      const stop = playback.onSeek(() => {
        waiting.current ??= window.setTimeout(write, WRITE_MILLIS);
      });
      return () => {
        stop();
        window.clearTimeout(waiting.current);
        waiting.current = undefined;
        attached.current = undefined;
      };
    },
    [write],
  );

  const showPanel = useCallback(
    (panel: PanelName) => {
      const { place: before, go: to } = latest.current;
      to(addressOf(session, { ...before, panel }), { replace: true });
    },
    [session],
  );

  const showChannel = useCallback(
    (channel: number, at?: number) => latest.current.go(addressOf(session, { channel, at, panel: latest.current.place.panel })),
    [session],
  );

  // Somebody has followed a link to another moment of what is open.
  useEffect(() => {
    const now = attached.current;
    if (now === undefined || place.at === undefined || waiting.current !== undefined) return;
    if (
      now.channel === (place.channel ?? now.channel) &&
      Math.abs(now.playback.player.position - place.at) >= 10 &&
      !now.playback.player.playing
    )
      now.playback.seek(place.at);
  }, [place]);

  return useMemo(() => ({ place, write, showPanel, showChannel, attach }), [place, write, showPanel, showChannel, attach]);
}
