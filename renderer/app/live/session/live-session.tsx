import { Button, SegmentedControl } from '@mantine/core';
import { useEffect, useState } from 'react';
import { Link, useLocation } from 'wouter';
import type { OperationOutput } from '../../../../contract/operator-api.ts';
import { useHasRole } from '../../client/operator-context.tsx';
import { useAsk } from '../../client/queries.ts';
import { ProtocolBadge, TargetLabel, Tell, Who } from '../../design/labels.tsx';
import { Screen, Split, Spring } from '../../design/pane.tsx';
import { EmptyState, FaultState, LoadingState } from '../../design/states.tsx';
import { useNow } from '../../design/use-now.ts';
import { useKeys } from '../../keyboard/use-keys.tsx';
import { routes } from '../../routes.ts';
import { DeedButtons } from '../supervise/deed-buttons.tsx';
import { LockDialog } from '../supervise/lock-dialog.tsx';
import { describeLag } from '../watch/describe-view.ts';
import type { LiveView } from '../watch/live-view.ts';
import { useLiveView, type Watched } from '../watch/use-live-view.ts';
import type { WatchedChannel } from '../watch/watched-channel.ts';
import classes from './session.module.css';
import { SessionSide } from './session-side.tsx';
import { Stage } from './stage.tsx';

/** One session that runs, with everything that can be done to it. */
export function LiveSession({ session: id }: { session: string }) {
  const show = useAsk('session.show', { session: id }, { refetchMillis: 15_000 });
  const runs = show.data === undefined ? undefined : show.data.session.state === 'live';
  // Somebody who looks at a session that is over wants its replay; whoever watched when it ended stays with what they saw.
  const [wasLive, setWasLive] = useState(false);
  useEffect(() => {
    if (runs === true) setWasLive(true);
  }, [runs]);
  const watched = useLiveView(runs === true || wasLive ? id : undefined);
  const isWatching = watched.view?.state === 'watching';
  const { refetch } = show;
  useEffect(() => {
    // How many watch, with this one among them.
    if (isWatching) void refetch();
  }, [isWatching, refetch]);
  const [, go] = useLocation();
  useKeys([{ keys: ['Escape'], label: 'Back to the wall', group: 'Live', run: () => go(routes.live) }]);
  if (show.data === undefined)
    return (
      <Screen label="Live">
        {show.error === null ? (
          <LoadingState what="Looking for the session" />
        ) : show.error.status === 404 || show.error.code === 'REQUEST_INVALID' ? (
          <EmptyState title="There is no such session here">
            <p className="muted">The link may be of another gateway, or the end of it was cut off when it was copied.</p>
            <p className="faint mono">{id}</p>
            <p>
              <Link href={routes.live}>Everything that runs</Link>
            </p>
          </EmptyState>
        ) : (
          <FaultState problem={show.error} retry={() => void show.refetch()} title="This session could not be shown" />
        )}
      </Screen>
    );
  const { session, summary, live, channels } = show.data;
  if (runs === false && !wasLive)
    return (
      <Screen label="Live">
        <EmptyState title="This session is over">
          <p className="muted">
            {session.principal} on {session.target}
            {session.reason === null ? '' : `: ${session.reason}`}
          </p>
          <Link href={routes.session(id)}>Replay it</Link>
          <Link href={routes.live}>Back to what runs</Link>
        </EmptyState>
      </Screen>
    );
  const { view } = watched;
  const standing = view?.state === 'watching' ? view : { paused: live?.paused ?? false, stepping: live?.stepping ?? false };
  const ended = view?.state === 'ended' || (runs === false && view?.state !== 'watching');
  return (
    <Screen
      label={`Live: ${session.principal} on ${session.target}`}
      bar={
        <>
          <Button component={Link} href={routes.live} title="Back to the wall">
            ← Live
          </Button>
          <ProtocolBadge protocol={session.protocol} />
          <Who principal={session.principal} onBehalfOf={session.onBehalfOf} />
          <span className="faint">on</span>
          <TargetLabel name={session.target} tags={summary.tags} />
          {!ended && standing.paused && <Tell tone="accent">paused: nothing flows</Tell>}
          {!ended && standing.stepping && <Tell tone="accent">stepping: each action asks</Tell>}
          <Spring />
          {view !== undefined && !ended && <Delay view={view} />}
        </>
      }
    >
      <LiveBody
        id={id}
        watched={watched}
        ended={ended}
        reason={session.reason}
        principal={session.principal}
        target={session.target}
        watchers={live?.watchers}
        known={channels}
        standing={standing}
      />
    </Screen>
  );
}

interface LiveBodyProps {
  readonly id: string;
  readonly watched: Watched;
  readonly ended: boolean;
  readonly reason: string | null;
  readonly principal: string;
  readonly target: string;
  readonly watchers: number | undefined;
  readonly known: OperationOutput<'session.show'>['channels'];
  readonly standing: { readonly paused: boolean; readonly stepping: boolean };
}

function LiveBody({ id, watched, ended, reason, principal, target, watchers, known, standing }: LiveBodyProps) {
  const { view } = watched;
  const [chosen, setChosen] = useState<number>();
  const [locking, setLocking] = useState(false);
  const maySupervise = useHasRole('reviewer', 'admin');
  const channel = (chosen === undefined ? undefined : view?.channels.get(chosen)) ?? view?.main;
  return (
    <>
      <Split
        sideLabel="About this session"
        side={<SessionSide session={id} noted={watched.noted} channels={known} watchers={watchers} running={!ended} />}
      >
        <Stage watched={watched} channel={channel} session={id} ended={ended} reason={reason} />
        <Channels view={view} known={known} shown={channel?.channel} onChoose={setChosen} />
      </Split>
      <div className={classes.actions}>
        <DeedButtons subject={ended ? undefined : { id, principal, target }} standing={standing} />
        <Spring />
        <Button onClick={() => setLocking(true)}>{maySupervise ? `Lock ${principal}…` : 'Locked principals…'}</Button>
        <Button component={Link} href={routes.session(id)}>
          {ended ? 'Replay' : 'Replay so far'}
        </Button>
      </div>
      {locking && <LockDialog principal={principal} onClose={() => setLocking(false)} />}
    </>
  );
}

/** How far what is seen is behind what happens, by two clocks. */
function Delay({ view }: { view: LiveView }) {
  // It changes with each frame; once a second is enough for whoever reads it.
  useNow();
  const { words, tone } = describeLag(view.lag);
  return (
    <Tell
      tone={tone}
      title="Between when the newest output was recorded and when it arrived here, by the clocks of the gateway and of this device."
    >
      <span className={classes.liveDot} data-on={view.state === 'watching' || undefined} aria-hidden /> {words}
    </Tell>
  );
}

function channelsOf(view: LiveView | undefined): readonly WatchedChannel[] {
  return view === undefined ? [] : [...view.channels.values()];
}

interface ChannelsProps {
  readonly view: LiveView | undefined;
  readonly known: OperationOutput<'session.show'>['channels'];
  readonly shown: number | undefined;
  readonly onChoose: (channel: number) => void;
}

function Channels({ view, known, shown, onChoose }: ChannelsProps) {
  const channels = channelsOf(view);
  if (channels.length < 2 || shown === undefined) return null;
  return (
    <div className={classes.channels}>
      <SegmentedControl
        size="xs"
        aria-label="Channel"
        value={String(shown)}
        onChange={(value) => onChoose(Number(value))}
        data={channels.map(({ channel, kind, open, hasTerminal }) => ({
          value: String(channel),
          label: `${channel} ${known.find((each) => each.channel === channel)?.kind ?? kind}${hasTerminal ? ' · terminal' : ''}${open ? '' : ' · closed'}`,
        }))}
      />
    </div>
  );
}
