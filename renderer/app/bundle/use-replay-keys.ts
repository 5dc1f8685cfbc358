import { useKeys } from '../keyboard/use-keys.tsx';
import type { Playback } from '../replay/playback.ts';
import { playbackKeys, REPLAY_KEYS } from '../replay/playback-keys.ts';

/** The keys of every replay; a bundle has nothing more to ask for. */
export function useReplayKeys(playback: Playback): void {
  const toMark = (by: -1 | 1) => {
    const mark = playback.player.toMark(by, performance.now());
    if (mark !== undefined) playback.seek(mark.at);
  };
  const toEnd = () => playback.seek(playback.player.outline.duration);
  useKeys([...playbackKeys(playback, toMark), { keys: ['End'], label: 'To the end', group: REPLAY_KEYS, run: toEnd }]);
}
