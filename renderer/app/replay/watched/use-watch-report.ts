import { useEffect, useState } from 'react';
import { ask } from '../../client/ask.ts';
import { asProblem } from '../../client/problem.ts';
import { useHost } from '../../host/host-context.tsx';
import type { Playback } from '../playback.ts';
import type { Stretch } from './shown-stretches.ts';
import { WatchMeter } from './watch-meter.ts';

const REPORT_MILLIS = 20_000;
const LOOK_MILLIS = 500;
/** Casts count in steps of so many: everything within the last of them was shown. The gateway knows where the recording ends. */
const STEP_MICROS = 10;
/** Each is a record. What is more than this waits for the next report. */
const MOST_AT_ONCE = 6;

/** Reports which parts of a recording were shown, now and then and at the end. Gives the parts, in microseconds. */
export function useWatchReport(session: string, channel: number, playback: Playback | undefined): readonly Stretch[] {
  const { transport } = useHost();
  const [shown, setShown] = useState<readonly Stretch[]>([]);
  useEffect(() => {
    if (playback === undefined) return undefined;
    const meter = new WatchMeter();
    const look = () => {
      const { player } = playback;
      meter.see({
        now: performance.now(),
        position: player.position,
        playing: player.playing,
        visible: player.underway === undefined && document.visibilityState === 'visible',
        whole: player.screen.plain && player.screen.core.buffers.active.ybase === 0,
      });
    };
    /** One after the other; of a page that goes away at once, for there is no later. */
    const report = async (leaving = false) => {
      setShown(meter.stretches.all);
      const taken = meter.stretches.take(MOST_AT_ONCE);
      if (leaving) await Promise.all(taken.map(tell));
      else for (const stretch of taken) await tell(stretch);
    };
    const tell = async ([from, to]: Stretch) => {
      const stretch = { from: Math.floor(from * 1000), to: Math.ceil((to + STEP_MICROS) * 1000) };
      try {
        await ask(transport, 'view.recorded', { session, how: 'play', channel, ...stretch }, { keepalive: true });
      } catch (thrown) {
        // Refused for what it says, it would be refused again; else it is told another time.
        if (asProblem(thrown).status !== 400) meter.stretches.giveBack([[from, to]]);
      }
    };
    const stopFrames = playback.onFrame(look);
    const stopSeeks = playback.onSeek(() => meter.jumped());
    const looking = window.setInterval(look, LOOK_MILLIS);
    const reporting = window.setInterval(() => void report(), REPORT_MILLIS);
    const hidden = () => {
      if (document.visibilityState === 'hidden') void report(true);
    };
    const leaving = () => void report(true);
    document.addEventListener('visibilitychange', hidden);
    window.addEventListener('pagehide', leaving);
    return () => {
      stopFrames();
      stopSeeks();
      window.clearInterval(looking);
      window.clearInterval(reporting);
      document.removeEventListener('visibilitychange', hidden);
      window.removeEventListener('pagehide', leaving);
      void report(true);
    };
  }, [transport, session, channel, playback]);
  return shown;
}
