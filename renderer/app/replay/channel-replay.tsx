import { notifications } from '@mantine/notifications';
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { EmptyState, FaultState, LoadingState } from '../design/states.tsx';
import type { Review } from '../review/review-panel.tsx';
import { type Channel, kindOf } from './channel-switcher.tsx';
import { Controls } from './controls.tsx';
import { FindBar } from './find/find-bar.tsx';
import { highlightFound } from './find/highlight-found.ts';
import { useFind } from './find/use-find.ts';
import type { Playback } from './playback.ts';
import classes from './replay.module.css';
import { Stage } from './stage.tsx';
import { type Mark, marksOf } from './timeline/mark.ts';
import { Timeline } from './timeline/timeline.tsx';
import type { Address } from './use-address.ts';
import { type Opening, usePlaybackState } from './use-playback.ts';
import { useReplayKeys } from './use-replay-keys.ts';
import { merged, type Stretch } from './watched/shown-stretches.ts';

export interface ChannelReplayProps {
  readonly session: string;
  readonly channel: Channel;
  readonly opening: Opening;
  readonly address: Address;
  readonly review: Review | undefined;
  readonly operator: string;
  readonly shownNow: readonly Stretch[];
  readonly note: () => void;
  /** A dialog is open, and has the keys. */
  readonly covered: boolean;
}

/** One channel on its screen, or why there is nothing on it. */
export function ChannelReplay(props: ChannelReplayProps): ReactNode {
  const { opening, channel } = props;
  if (opening.state === 'fault')
    return <FaultState problem={opening.problem} retry={opening.retry} title="This recording cannot be opened" />;
  if (opening.state === 'opening')
    return <LoadingState what={opening.reached ? 'Opening the recording' : 'The gateway does not answer, and is asked again'} />;
  const { outline } = opening.playback.driver;
  if (outline.pieces.length === 0 && !outline.live) return <NothingRecorded channel={channel} />;
  return <Open {...props} playback={opening.playback} reached={opening.reached} retry={opening.retry} />;
}

function NothingRecorded({ channel: { channel, kind, detail, reason, closed } }: { channel: Channel }) {
  return (
    <EmptyState title={`Nothing crossed channel ${channel}`}>
      <p className="muted">
        It was opened for a {kindOf({ kind, detail })}
        {reason === null ? '' : `, and ended: ${reason}`}.
        {closed === null ? ' What crosses it from now on is recorded.' : ' That it was opened and closed is on record; see Evidence.'}
      </p>
    </EmptyState>
  );
}

function Open({
  session,
  channel: { channel },
  playback,
  reached,
  retry,
  address,
  review,
  operator,
  shownNow,
  note,
  covered,
}: ChannelReplayProps & { playback: Playback; reached: boolean; retry: () => void }) {
  const { grown } = usePlaybackState(playback);
  const screen = useRef<HTMLDivElement>(null);
  const [fresh, setFresh] = useState(address.place.at === undefined && playback.player.outline.terminal && !playback.player.outline.live);
  const { found, find, forget } = useFind(session, channel);
  const [finding, setFinding] = useState(0);
  const [hit, setHit] = useState(-1);
  const { attach } = address;
  useEffect(() => attach(playback, channel), [attach, playback, channel]);
  useEffect(() => playback.onSeek(() => setFresh(false)), [playback]);
  const notes = review?.notes;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the timeline is another one when it has grown
  const marks = useMemo(() => {
    const own: Mark[] = marksOf(playback.player.timeline);
    const noted: Mark[] = (notes ?? [])
      .filter((each) => each.channel === channel)
      .map(({ at, text }) => ({ at: at / 1000, sort: 'note', title: text }));
    const hits: Mark[] = found.hits.map(({ first, line }) => ({ at: first, sort: 'found', title: line.trim() }));
    return [...own, ...noted, ...hits].sort((a, b) => a.at - b.at);
  }, [playback, channel, notes, found.hits, grown]);
  const watched = useMemo(() => {
    const told =
      review?.watched.find((each) => each.operator === operator)?.channels.find((each) => each.channel === channel)?.stretches ?? [];
    return merged([...told.map(([from, to]): Stretch => [from / 1000, to / 1000]), ...shownNow]);
  }, [review, operator, channel, shownNow]);
  useEffect(() => {
    if (found.words === '') return undefined;
    const stop = playback.onFrame(() => highlightFound(playback.painter.node, found.words));
    return () => {
      stop();
      highlightFound(playback.painter.node, '');
    };
  }, [playback, found.words]);
  const goToHit = (index: number) => {
    const to = found.hits[index];
    if (to === undefined) return;
    setHit(index);
    playback.pause();
    playback.seek(to.first);
  };
  const full = () => {
    const leaving = document.fullscreenElement !== null;
    (leaving ? document.exitFullscreen() : (screen.current?.requestFullscreen() ?? Promise.resolve())).catch(() =>
      notifications.show({ message: 'Full screen is not to be had here', color: 'red' }),
    );
  };
  const openFind = () => setFinding((before) => before + 1);
  useReplayKeys({ session, channel, playback, marks, find: openFind, note, full }, !covered);
  return (
    <div className={classes.screen} ref={screen}>
      <div className={classes.over}>
        <Stage playback={playback} reached={reached} retry={retry} fresh={fresh} />
        {finding > 0 && (
          <FindBar
            found={found}
            at={hit}
            opened={finding}
            find={(words) => {
              setHit(-1);
              find(words);
            }}
            go={goToHit}
            close={() => {
              setFinding(0);
              setHit(-1);
              forget();
              playback.painter.node.focus();
            }}
          />
        )}
      </div>
      <Timeline playback={playback} marks={marks} watched={watched} />
      <Controls playback={playback} find={openFind} full={full} />
    </div>
  );
}
