import { Tabs } from '@mantine/core';
import { type ReactNode, useMemo } from 'react';
import type { OperationOutput } from '../../../contract/operator-api.ts';
import { EmptyState, LoadingState } from '../design/states.tsx';
import { type Review, ReviewPanel, type ReviewPanelProps } from '../review/review-panel.tsx';
import { CausePanel } from './panels/cause-panel.tsx';
import { DecisionPanel } from './panels/decision-panel.tsx';
import { EvidencePanel } from './panels/evidence-panel.tsx';
import { TranscriptPanel } from './panels/transcript-panel.tsx';
import { type PanelName, panelNames } from './place.ts';
import type { Playback } from './playback.ts';
import classes from './replay.module.css';
import { SessionFoot } from './session-foot.tsx';
import { transcriptOf } from './transcript.ts';
import { usePlaybackState } from './use-playback.ts';

const titles: Readonly<Record<PanelName, string>> = {
  transcript: 'Transcript',
  decision: 'Decision',
  cause: 'Cause',
  evidence: 'Evidence',
  review: 'Review',
};

export interface SidePanelsProps {
  readonly shown: OperationOutput<'session.show'>;
  readonly channel: number | undefined;
  /** Undefined while it is not there, or cannot be. */
  readonly playback: Playback | undefined;
  readonly opening: boolean;
  readonly panel: PanelName;
  readonly choose: (panel: PanelName) => void;
  readonly go: (channel: number, at: number) => void;
  readonly review: Omit<ReviewPanelProps, 'session' | 'channel' | 'go'>;
}

export function SidePanels({ shown, channel, playback, opening, panel, choose, go, review }: SidePanelsProps) {
  const { id } = shown.session;
  const panels: Readonly<Record<PanelName, () => ReactNode>> = {
    transcript: () => {
      if (playback !== undefined)
        return <Transcript session={id} playback={playback} channel={channel ?? 0} notes={review.review?.notes} />;
      return opening ? <LoadingState what="Opening the recording" /> : <EmptyState title="There is no recording to tell" />;
    },
    decision: () => <DecisionPanel session={id} channel={channel} />,
    cause: () => <CausePanel shown={shown} />,
    evidence: () => <EvidencePanel session={id} channel={channel} go={(at) => go(channel ?? 0, at)} />,
    review: () =>
      shown.session.state === 'erased' ? (
        <EmptyState title="There is nothing left to review">
          <p className="muted">Notes and sign-offs are gone with the session.</p>
        </EmptyState>
      ) : (
        <ReviewPanel session={id} channel={channel} go={go} {...review} />
      ),
  };
  return (
    <Tabs
      className={classes.tabs ?? ''}
      value={panel}
      onChange={(value) => choose(panelNames.find((name) => name === value) ?? 'transcript')}
      keepMounted={false}
    >
      <Tabs.List className={classes.list ?? ''} aria-label="About this session">
        {panelNames.map((name) => (
          <Tabs.Tab key={name} value={name}>
            {titles[name]}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {panelNames.map((name) => (
        <Tabs.Panel key={name} value={name} className={classes.panel ?? ''}>
          {name === panel && panels[name]()}
        </Tabs.Panel>
      ))}
      {(panel === 'transcript' || panel === 'review') && (
        <section className={classes.foot} aria-label="In short">
          <SessionFoot shown={shown} ready={!opening} />
        </section>
      )}
    </Tabs>
  );
}

function Transcript({
  session,
  playback,
  channel,
  notes,
}: {
  session: string;
  playback: Playback;
  channel: number;
  notes: Review['notes'] | undefined;
}) {
  const { grown } = usePlaybackState(playback);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the timeline is another one when it has grown
  const lines = useMemo(() => {
    const { commands, marks } = playback.player.timeline;
    const own = (notes ?? []).filter((note) => note.channel === channel).map((note) => ({ ...note, at: note.at / 1000 }));
    return transcriptOf({ commands, marks, notes: own });
  }, [playback, channel, notes, grown]);
  return <TranscriptPanel session={session} channel={channel} playback={playback} lines={lines} />;
}
