import { notifications } from '@mantine/notifications';
import { useHost } from '../host/host-context.tsx';
import type { KeyCommand } from '../keyboard/key-map.ts';
import { useKeys } from '../keyboard/use-keys.tsx';
import { addressOf } from './place.ts';
import type { Playback } from './playback.ts';
import { playbackKeys, REPLAY_KEYS } from './playback-keys.ts';
import { neighbourMark } from './timeline/layout.ts';
import type { Mark } from './timeline/mark.ts';

const group = REPLAY_KEYS;

export interface ReplayDeeds {
  readonly session: string;
  readonly channel: number;
  readonly playback: Playback;
  readonly marks: readonly Mark[];
  readonly find: () => void;
  readonly note: () => void;
  readonly full: () => void;
}

/** Everything that a replay can do, by keys. */
export function useReplayKeys({ session, channel, playback, marks, find, note, full }: ReplayDeeds, enabled: boolean): void {
  const host = useHost();
  const toMark = (by: -1 | 1) => {
    const mark = neighbourMark(marks, playback.player.position, by);
    if (mark !== undefined) playback.seek(mark.at);
  };
  const copyLink = () => {
    const { position } = playback.player;
    host.copy(host.linkTo(addressOf(session, { channel, at: position, panel: 'transcript' }))).then(
      () => notifications.show({ message: 'The link to this moment is copied' }),
      () => notifications.show({ message: 'The clipboard is not to be had here', color: 'red' }),
    );
  };
  const scroll = (by: -1 | 1) => playback.painter.scroll(by * (playback.player.screen.rows - 1));
  const commands: KeyCommand[] = [
    ...playbackKeys(playback, toMark),
    {
      keys: ['End'],
      label: 'To the end, or to what is happening now',
      group,
      run: () => (playback.state.live ? playback.toLive() : playback.seek(playback.player.outline.duration)),
    },
    { keys: ['PageUp'], label: 'Scroll the screen back', group, run: () => scroll(1) },
    { keys: ['PageDown'], label: 'Scroll the screen on', group, run: () => scroll(-1) },
    { keys: ['z'], label: 'The whole screen, or large enough to read', group, run: () => playback.toggleReadable() },
    { keys: ['mod+f', '/'], label: 'Find on this screen', group, run: find },
    { keys: ['n'], label: 'Put a note on this moment', group, run: note },
    { keys: ['c'], label: 'Copy a link to this moment', group, run: copyLink },
    { keys: ['f'], label: 'Full screen', group, run: full },
  ];
  useKeys(commands, enabled);
}
