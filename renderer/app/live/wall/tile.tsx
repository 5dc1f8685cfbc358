import { useEffect, useRef } from 'react';
import { Link } from 'wouter';
import { countdown } from '../../approvals/countdown.ts';
import { inFewWords } from '../../approvals/exact-text.ts';
import { Visible } from '../../approvals/exact-text-view.tsx';
import { ago } from '../../design/format.ts';
import { ProtocolBadge, TargetLabel, Tell, Who } from '../../design/labels.tsx';
import { useNow } from '../../design/use-now.ts';
import { routes } from '../../routes.ts';
import { describeView, sinceOutput } from '../watch/describe-view.ts';
import { noteLines } from '../watch/note-lines.ts';
import { inTurn } from '../watch/painting.ts';
import { ScreenView } from '../watch/screen-view.tsx';
import { useLiveView, type Watched } from '../watch/use-live-view.ts';
import { type Running, type Standing, standingsOf } from './order.ts';
import classes from './wall.module.css';

interface TileProps {
  readonly session: Running;
  /** It is in sight, and among the first so many. */
  readonly watched: boolean;
  readonly selected: boolean;
  /** Tab leads to it: to the selected one, or the first. */
  readonly reached: boolean;
  readonly onSelect: () => void;
}

/** One session on the wall: what its terminal shows at the moment, who it is, and whether it needs somebody. */
export function Tile({ session, watched: isWatched, selected, reached, onSelect }: TileProps) {
  const watched = useLiveView(isWatched ? session.id : undefined);
  const link = useRef<HTMLAnchorElement>(null);
  const standings = standingsOf({
    ...session,
    // What the session itself says is newer than the list.
    ...(watched.view?.state === 'watching' ? { paused: watched.view.paused, stepping: watched.view.stepping } : {}),
  });
  useEffect(() => {
    if (selected) link.current?.scrollIntoView({ block: 'nearest' });
  }, [selected]);
  return (
    <li className={classes.tile} data-tone={standings[0]?.tone} data-selected={selected || undefined}>
      <div className={classes.screen}>
        <TileScreen watched={watched} isWatched={isWatched} />
        {session.asks !== undefined && (
          <div className={classes.asks}>
            <span className={classes.asksWhat}>Waits for approval</span>
            <code>
              <Visible text={inFewWords(session.asks)} exact />
            </code>
          </div>
        )}
      </div>
      <div className={classes.caption}>
        <ProtocolBadge protocol={session.protocol} />
        <Link
          ref={link}
          href={routes.liveSession(session.id)}
          className={classes.link ?? ''}
          tabIndex={reached ? 0 : -1}
          data-session={session.id}
          onFocus={onSelect}
        >
          <Who principal={session.principal} /> <span className="faint">on</span>{' '}
          <TargetLabel name={session.target} tags={session.tags.env === undefined ? {} : { env: session.tags.env }} />
          <span className={classes.unseen}>{standings.map(({ words }) => `, ${words}`).join('')}</span>
        </Link>
        <Standings session={session} standings={standings} last={watched.view?.lastOutput} />
      </div>
    </li>
  );
}

function TileScreen({ watched, isWatched }: { watched: Watched; isWatched: boolean }) {
  const { view, noted } = watched;
  const channel = view?.main;
  if (!isWatched) return <span className={classes.blank}>Watched when there is room</span>;
  if (view === undefined) return <span className={classes.blank}>Joining…</span>;
  const words = describeView(view, channel);
  const lines = channel?.hasTerminal === true ? [] : noteLines(noted).slice(-6);
  const quiet = channel === undefined || (!channel.hasTerminal && channel.lastOutput === undefined);
  return (
    <>
      {channel?.emulation !== undefined && !quiet && (
        <div className={classes.painted} data-stale={words?.stale || undefined}>
          <ScreenView key={channel.channel} channel={channel} watched={watched} painting={inTurn} options={tileOptions} />
        </div>
      )}
      {quiet && (
        <span className={classes.lines}>
          {lines.length === 0 ? (
            <span className={classes.blankWords}>
              {channel === undefined ? 'Nothing is open' : 'No terminal. What it writes from here on is shown.'}
            </span>
          ) : (
            lines.map(({ key, words: line }) => (
              <span key={key}>
                <Visible text={line} />
              </span>
            ))
          )}
        </span>
      )}
      {words !== undefined && (!quiet || view.state !== 'watching') && (
        <span className={classes.words} data-tone={words.tone}>
          {words.words}
        </span>
      )}
    </>
  );
}

const tileOptions = { smallest: 2, largest: 14, label: 'Screen of the session' };

function Standings({ session, standings, last }: { session: Running; standings: readonly Standing[]; last: number | undefined }) {
  const now = useNow();
  const left = session.deadline === undefined ? undefined : countdown(session.deadline, now);
  return (
    <span className={classes.standings}>
      {standings.slice(0, 2).map(({ tone, words }) => (
        <Tell key={words} tone={tone}>
          {tone === 'ask' && left !== undefined ? `${left.text} left` : words}
        </Tell>
      ))}
      {standings.length === 0 && (
        <span className="muted" title={last === undefined ? 'When it began' : 'Since its last output'}>
          {last === undefined ? ago(session.started, now) : sinceOutput(last, now)}
        </span>
      )}
    </span>
  );
}
