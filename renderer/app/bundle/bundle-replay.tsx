import { Button } from '@mantine/core';
import { IconArrowLeft } from '@tabler/icons-react';
import { memo, useEffect, useMemo, useState } from 'react';
import { useSearchParams } from 'wouter';
import type { BundlePageChannel, BundlePageSession } from '../../../contract/bundle-page.ts';
import { indexRecording, type RecordingIndex } from '../../../contract/replay/recording-index.ts';
import { SegmentDriver } from '../../../contract/replay/segment-driver.ts';
import { printable } from '../../bundle-page/interface/printable.ts';
import { asProblem } from '../client/problem.ts';
import { counting } from '../design/format.ts';
import { ProtocolBadge, Tell, Who } from '../design/labels.tsx';
import { Spring } from '../design/pane.tsx';
import { EmptyState, LoadingState } from '../design/states.tsx';
import { Playback } from '../replay/playback.ts';
import { Stage } from '../replay/stage.tsx';
import { marksOf } from '../replay/timeline/mark.ts';
import { Timeline } from '../replay/timeline/timeline.tsx';
import { usePlaybackState } from '../replay/use-playback.ts';
import classes from './bundle.module.css';
import { BundleControls } from './bundle-controls.tsx';
import { BundleTranscript } from './bundle-transcript.tsx';
import type { OpenedBundle } from './opened-bundle.ts';
import { ToldTime } from './told-time.tsx';
import { useReplayKeys } from './use-replay-keys.ts';

interface Opened {
  readonly playback: Playback;
  readonly index: RecordingIndex;
}

/** A session of a bundle, played from the parts that its records seal. */
export const BundleReplay = memo(function BundleReplay({
  bundle,
  session,
  faults,
  close,
}: {
  bundle: OpenedBundle;
  session: BundlePageSession;
  faults: number;
  close: () => void;
}) {
  const [search, setSearch] = useSearchParams();
  const wanted = search.get('channel');
  const channel = session.recordings.find((each) => String(each.channel) === wanted) ?? session.recordings[0];
  return (
    <div className={classes.replay}>
      <header className={classes.head}>
        <Button variant="subtle" onClick={close} leftSection={<IconArrowLeft size={14} />}>
          All sessions
        </Button>
        <Who principal={printable(session.principal)} onBehalfOf={session.onBehalfOf === null ? null : printable(session.onBehalfOf)} />
        <span className="muted">at {printable(session.target)}</span>
        <ProtocolBadge protocol={printable(session.protocol)} />
        <ToldTime time={session.started} />
        <Spring />
        {faults > 0 && <Tell tone="deny">✗ {counting(faults, 'fault')} in this session</Tell>}
      </header>
      {session.recordings.length > 1 && (
        <nav className={classes.channels} aria-label="Channels">
          {session.recordings.map((each) => (
            <button
              key={each.channel}
              type="button"
              aria-current={each === channel ? 'true' : undefined}
              onClick={() => setSearch({ session: session.id, channel: String(each.channel) }, { replace: true })}
            >
              <span className="faint">{each.channel}</span> {printable(each.command ?? each.kind)}
            </button>
          ))}
        </nav>
      )}
      {channel === undefined || channel.segments.length === 0 ? (
        <NothingToPlay session={session} />
      ) : (
        <ChannelReplay key={channel.channel} bundle={bundle} session={session} channel={channel} />
      )}
    </div>
  );
});

function ChannelReplay({ bundle, session, channel }: { bundle: OpenedBundle; session: BundlePageSession; channel: BundlePageChannel }) {
  const [opened, setOpened] = useState<Opened>();
  const [done, setDone] = useState(0);
  const [fault, setFault] = useState<string>();
  useEffect(() => {
    let gone = false;
    let playback: Playback | undefined;
    const source = bundle.segments(session, channel);
    indexRecording(source, (share) => {
      if (gone) throw new Error('It is not wanted any more.');
      setDone(share);
    }).then(
      (index) => {
        if (gone) return;
        playback = new Playback(new SegmentDriver(source, index));
        playback.begin(undefined);
        setOpened({ playback, index });
      },
      (thrown: unknown) => {
        if (!gone) setFault(asProblem(thrown).message);
      },
    );
    return () => {
      gone = true;
      setOpened(undefined);
      void playback?.close();
    };
  }, [bundle, session, channel]);
  if (fault !== undefined)
    return (
      <EmptyState title="This recording cannot be played">
        <p>{fault}</p>
      </EmptyState>
    );
  if (opened === undefined)
    return (
      <LoadingState
        what={
          done > 0 && done < 1
            ? `Comparing the recording with its seals, ${Math.floor(done * 100)} %`
            : 'Comparing the recording with its seals'
        }
      />
    );
  return <Playing opened={opened} />;
}

const NOTHING_WATCHED: readonly (readonly [number, number])[] = [];

function Playing({ opened: { playback, index } }: { opened: Opened }) {
  const { playing } = usePlaybackState(playback);
  const [fresh, setFresh] = useState(index.terminal);
  useEffect(() => {
    if (playing) setFresh(false);
  }, [playing]);
  useEffect(() => playback.onSeek(() => setFresh(false)), [playback]);
  useReplayKeys(playback);
  const marks = useMemo(() => marksOf({ marks: index.marks, commands: [] }), [index]);
  return (
    <div className={classes.playing}>
      <div className={classes.screen}>
        <Stage playback={playback} reached retry={() => undefined} fresh={fresh} />
        <Timeline playback={playback} marks={marks} watched={NOTHING_WATCHED} />
        <BundleControls playback={playback} />
      </div>
      <BundleTranscript playback={playback} items={index.transcript} />
    </div>
  );
}

function NothingToPlay({ session }: { session: BundlePageSession }) {
  if (session.state === 'erased')
    return (
      <EmptyState title="This session was erased">
        <p className="muted">
          The ledger still has the hash of every record of it, so that it can be proved that it took place and that none was exchanged.
        </p>
      </EmptyState>
    );
  return (
    <EmptyState title="Nothing to play">
      <p className="muted">
        {session.state === 'live'
          ? 'The session still ran when the bundle was written, and what it had recorded by then was not sealed yet.'
          : 'No channel of this session recorded anything.'}
      </p>
    </EmptyState>
  );
}
