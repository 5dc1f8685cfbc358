import { Button } from '@mantine/core';
import { Link } from 'wouter';
import { routes } from '../../routes.ts';
import { describeView } from '../watch/describe-view.ts';
import { atNextFrame } from '../watch/painting.ts';
import { ScreenView } from '../watch/screen-view.tsx';
import type { Watched } from '../watch/use-live-view.ts';
import type { WatchedChannel } from '../watch/watched-channel.ts';
import classes from './session.module.css';

interface StageProps {
  readonly watched: Watched;
  readonly channel: WatchedChannel | undefined;
  readonly session: string;
  readonly ended: boolean;
  /** Why it ended, by its record. */
  readonly reason: string | null;
}

/** The screen as it is now, and under it whatever keeps it from being that. */
export function Stage({ watched, channel, session, ended, reason }: StageProps) {
  const { view } = watched;
  const words = ended
    ? { tone: 'plain' as const, words: `Ended${reason === null ? '' : `: ${reason}`}. What you see is how it was left.`, stale: true }
    : view === undefined
      ? { tone: 'plain' as const, words: 'Joining…', stale: false }
      : describeView(view, channel);
  return (
    <div className={classes.stage}>
      <div className={classes.painted} data-stale={words?.stale || undefined}>
        {channel?.emulation !== undefined && (
          <ScreenView key={channel.channel} channel={channel} watched={watched} painting={atNextFrame} options={stageOptions} reachable />
        )}
      </div>
      {channel !== undefined && !channel.hasTerminal && !ended && (
        <div className={classes.plain}>
          Without a terminal: what it writes as it comes. <Link href={routes.session(session)}>What it wrote before</Link>
        </div>
      )}
      <div className={classes.words} role="status" data-tone={words?.tone} data-shown={words !== undefined || undefined}>
        {words !== undefined && (
          <>
            <span>{words.words}</span>
            {'retry' in words && words.retry === true && (
              <Button size="compact-sm" onClick={() => view?.retry()}>
                Try now
              </Button>
            )}
            {ended && (
              <Link href={routes.session(session)} className={classes.replay ?? ''}>
                Replay it
              </Link>
            )}
          </>
        )}
      </div>
    </div>
  );
}

const stageOptions = { label: 'Screen of the session as it is now' };
