import classes from './session/session.module.css';
import { describeView } from './watch/describe-view.ts';
import { inTurn } from './watch/painting.ts';
import { ScreenView } from './watch/screen-view.tsx';
import { useLiveView } from './watch/use-live-view.ts';

/** What a session that waits shows at the moment, for whoever decides about it. */
export function Glimpse({ session }: { session: string }) {
  const watched = useLiveView(session);
  const { view } = watched;
  const channel = view?.main;
  const quiet = channel === undefined || (!channel.hasTerminal && channel.lastOutput === undefined);
  const words = view === undefined ? undefined : describeView(view, channel);
  return (
    <div className={classes.glimpse} data-quiet={quiet || undefined}>
      {quiet ? (
        <p>
          {view?.state === 'ended'
            ? 'The session is over.'
            : channel?.hasTerminal === false
              ? 'The session has no terminal, and has written nothing since you look.'
              : (words?.words ?? 'Joining…')}
        </p>
      ) : (
        channel.emulation !== undefined && (
          <ScreenView key={channel.channel} channel={channel} watched={watched} painting={inTurn} options={glimpseOptions} />
        )
      )}
    </div>
  );
}

const glimpseOptions = { smallest: 4, largest: 12, label: 'What the session shows at the moment' };
