import type { KeyCommand } from '../keyboard/key-map.ts';
import type { Playback } from './playback.ts';

export const REPLAY_KEYS = 'Replay';

/** The keys of every replay, of a gateway or of a bundle. `toMark`: goes to the mark before or to the next. */
export function playbackKeys(playback: Playback, toMark: (by: -1 | 1) => void): KeyCommand[] {
  const group = REPLAY_KEYS;
  return [
    { keys: ['Space'], label: 'Play or pause', group, run: () => playback.toggle() },
    { keys: ['ArrowLeft'], label: 'Five seconds back', group, run: () => playback.jump(-1) },
    { keys: ['ArrowRight'], label: 'Five seconds on', group, run: () => playback.jump(1) },
    { keys: ['shift+ArrowLeft'], label: 'To the mark before', group, run: () => toMark(-1) },
    { keys: ['shift+ArrowRight'], label: 'To the next mark', group, run: () => toMark(1) },
    { keys: [','], label: 'To the change of the screen before', group, run: () => void playback.step(-1) },
    { keys: ['.'], label: 'To the next change of the screen', group, run: () => void playback.step(1) },
    { keys: ['['], label: 'Slower', group, run: () => playback.changeSpeed(-1) },
    { keys: [']'], label: 'Faster', group, run: () => playback.changeSpeed(1) },
    { keys: ['i'], label: 'Fold idle time, or play it in full', group, run: () => playback.fold() },
    { keys: ['Home'], label: 'To the beginning', group, run: () => playback.seek(0) },
  ];
}
