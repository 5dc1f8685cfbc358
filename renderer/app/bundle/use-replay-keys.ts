import { useKeys } from '../keyboard/use-keys.tsx';
import type { Playback } from '../replay/playback.ts';

/** The keys of every replay, as far as a bundle has what they ask for. */
export function useReplayKeys(playback: Playback): void {
  const group = 'Replay';
  const now = () => performance.now();
  useKeys([
    { keys: ['Space'], label: 'Play or pause', group, run: () => playback.toggle() },
    { keys: ['ArrowLeft'], label: 'Five seconds back', group, run: () => playback.jump(-1) },
    { keys: ['ArrowRight'], label: 'Five seconds on', group, run: () => playback.jump(1) },
    { keys: ['shift+ArrowLeft'], label: 'To the mark before', group, run: () => toMark(-1) },
    { keys: ['shift+ArrowRight'], label: 'To the next mark', group, run: () => toMark(1) },
    { keys: ['['], label: 'Slower', group, run: () => playback.changeSpeed(-1) },
    { keys: [']'], label: 'Faster', group, run: () => playback.changeSpeed(1) },
    { keys: ['i'], label: 'Fold idle time, or show it', group, run: () => playback.fold() },
    { keys: [','], label: 'To the change of the screen before', group, run: () => void playback.step(-1) },
    { keys: ['.'], label: 'To the next change of the screen', group, run: () => void playback.step(1) },
    { keys: ['Home'], label: 'To the beginning', group, run: () => playback.seek(0) },
    { keys: ['End'], label: 'To the end', group, run: () => playback.seek(playback.player.outline.duration) },
  ]);
  function toMark(by: -1 | 1): void {
    const mark = playback.player.toMark(by, now());
    if (mark !== undefined) playback.seek(mark.at);
  }
}
