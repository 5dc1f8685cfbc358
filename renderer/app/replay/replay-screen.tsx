import { type KeyboardEvent, useCallback, useState } from 'react';
import { Link } from 'wouter';
import type { OperationOutput } from '../../../contract/operator-api.ts';
import { useHasRole, useOperator } from '../client/operator-context.tsx';
import { useAsk } from '../client/queries.ts';
import { Screen, Split } from '../design/pane.tsx';
import { EmptyState, FaultState, LoadingState } from '../design/states.tsx';
import { ExportDialog } from '../export/export-dialog.tsx';
import { SignOffDialog } from '../review/sign-off-dialog.tsx';
import { routes } from '../routes.ts';
import { ChannelReplay } from './channel-replay.tsx';
import { type Channel, ChannelSwitcher } from './channel-switcher.tsx';
import { SessionHeader } from './session-header.tsx';
import { SidePanels } from './side-panels.tsx';
import { useAddress } from './use-address.ts';
import { usePlayback } from './use-playback.ts';
import { useWatchReport } from './watched/use-watch-report.ts';

/** Channels of a session that runs are opened without an event. */
const LIVE_MILLIS = 4000;

/** A session as it was, and everything that is known of it. */
export function ReplayScreen({ session }: { session: string }) {
  const [live, setLive] = useState(false);
  const shown = useAsk('session.show', { session }, live ? { refetchMillis: LIVE_MILLIS } : {});
  const isLive = shown.data?.session.state === 'live';
  if (isLive !== live) setLive(isLive);
  if (shown.data !== undefined) return <Session shown={shown.data} />;
  if (shown.error === null) return <Screen label="Replay">{<LoadingState what="Looking for the session" />}</Screen>;
  const missing = shown.error.status === 404 || shown.error.code === 'REQUEST_INVALID';
  return (
    <Screen label="Replay">
      {missing ? (
        <EmptyState title="There is no such session here">
          <p className="muted">The link may be of another gateway, or the end of it was cut off when it was copied.</p>
          <p className="faint mono">{session}</p>
          <p>
            <Link href={routes.sessions}>All sessions</Link>
          </p>
        </EmptyState>
      ) : (
        <FaultState problem={shown.error} retry={() => void shown.refetch()} title="This session could not be shown" />
      )}
    </Screen>
  );
}

type Shown = OperationOutput<'session.show'>;

function Session({ shown }: { shown: Shown }) {
  const { session, channels } = shown;
  const { operator } = useOperator();
  const address = useAddress(session.id);
  const { place, showChannel, showPanel } = address;
  const erased = session.state === 'erased';
  const channel = erased ? undefined : chosenOf(channels, place.channel);
  const opening = usePlayback(session.id, channel?.channel, () => place.at, address.write);
  // The recording comes first: what is beside it is asked for when it is open, unless it is what is looked at.
  const ready = channel === undefined || opening.state !== 'opening';
  const review = useAsk('review.show', { session: session.id }, { enabled: !erased && (ready || place.panel === 'review') });
  const playback = opening.state === 'open' ? opening.playback : undefined;
  const shownNow = useWatchReport(session.id, channel?.channel ?? 0, playback);
  const mayExport = useHasRole('auditor', 'admin');
  const [dialog, setDialog] = useState<'sign-off' | 'export'>();
  const [noting, setNoting] = useState(0);
  const note = useCallback(() => {
    showPanel('review');
    setNoting((before) => before + 1);
  }, [showPanel]);
  const go = (to: number, at: number) => {
    if (to === channel?.channel && playback !== undefined) playback.seek(at);
    else showChannel(to, at);
  };
  const close = () => setDialog(undefined);
  const signOff = () => setDialog('sign-off');
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: what is pressed by the keyboard is pressed, and does not play
    <div style={{ display: 'contents' }} onKeyDown={leaveButtonsTheirSpace}>
      <Screen
        label={`Replay of a session of ${session.principal === '' ? 'somebody erased' : session.principal} at ${session.target}`}
        bar={
          <SessionHeader
            shown={shown}
            ready={ready}
            signOff={erased ? undefined : signOff}
            save={mayExport && !erased && session.state !== 'live' ? () => setDialog('export') : undefined}
          />
        }
      >
        <ChannelSwitcher channels={channels} current={channel?.channel ?? -1} choose={showChannel} />
        <Split
          sideLabel="About this session"
          side={
            <SidePanels
              shown={shown}
              channel={channel?.channel}
              playback={playback}
              opening={!ready}
              panel={place.panel}
              choose={showPanel}
              go={go}
              review={{
                review: review.data,
                problem: review.error,
                retry: () => void review.refetch(),
                noting,
                here: () => playback?.player.position ?? 0,
                signOff,
              }}
            />
          }
        >
          {channel === undefined ? (
            <NoChannel shown={shown} />
          ) : (
            <ChannelReplay
              key={channel.channel}
              session={session.id}
              channel={channel}
              opening={opening}
              address={address}
              review={review.data}
              operator={operator}
              shownNow={shownNow}
              note={note}
              covered={dialog !== undefined}
            />
          )}
        </Split>
      </Screen>
      {review.data !== undefined && (
        <SignOffDialog session={session.id} review={review.data} opened={dialog === 'sign-off'} close={close} />
      )}
      {dialog === 'export' && <ExportDialog sessions={[session.id]} onClose={close} />}
    </div>
  );
}

function NoChannel({ shown: { session } }: { shown: Shown }) {
  if (session.state === 'erased')
    return (
      <EmptyState title="This session is erased">
        <p className="muted">
          Its recording and its records are gone, and cannot be had back. The ledger still proves that they were there, and that they were
          erased on record.
        </p>
      </EmptyState>
    );
  return (
    <EmptyState title="No channel was opened in this session">
      <p className="muted">
        {session.state === 'live'
          ? 'The client is connected and has asked for nothing yet. This changes by itself.'
          : `Somebody logged in and left again, so there is nothing to play${session.reason === null ? '' : `: ${session.reason}`}. Who it was, and what was decided, is beside this.`}
      </p>
    </EmptyState>
  );
}

/** The one that was asked for, else the first on which anything crossed. */
function chosenOf(channels: readonly Channel[], wanted: number | undefined): Channel | undefined {
  const asked = channels.find(({ channel }) => channel === wanted);
  return asked ?? channels.find(({ bytes: { i, o, e } }) => i + o + e > 0) ?? channels[0];
}

/** Space plays, but on something that Space presses it presses that. */
function leaveButtonsTheirSpace(event: KeyboardEvent): void {
  if (event.key === ' ' && event.target instanceof Element && event.target.closest('button, a, summary, [role=tab], [role=radio]') !== null)
    event.stopPropagation();
}
