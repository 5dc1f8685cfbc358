import { type MouseEvent, memo } from 'react';
import type { SessionFlag } from '../../../contract/operations/sessions.ts';
import { clockTime, counting, length, microsBetween, shortDateTime } from '../design/format.ts';
import { ProtocolBadge, TargetLabel, Tell, TimeText, type Tone, Who } from '../design/labels.tsx';
import { ActivityStrip } from './activity-strip.tsx';
import classes from './session-table.module.css';
import type { ListedSession } from './use-session-pages.ts';

const flagTones: Readonly<Record<SessionFlag, Tone>> = {
  denied: 'deny',
  asked: 'ask',
  'break-glass': 'ask',
  supervised: 'accent',
  terminated: 'deny',
  hidden: 'plain',
  recovered: 'ask',
  held: 'accent',
};

const flagOrder = Object.keys(flagTones) as SessionFlag[];

export interface SessionRowProps {
  readonly at: number;
  readonly top: number;
  readonly session: ListedSession | undefined;
  readonly activity: readonly number[] | undefined;
  readonly current: boolean;
  readonly chosen: boolean;
  readonly onOpen: (session: ListedSession) => void;
  readonly onPoint: (at: number, session: ListedSession, event: MouseEvent) => void;
  readonly onChoose: (at: number) => void;
}

/** A row of the table. It is drawn again only when something of it changes: there are many, and they are scrolled. */
export const SessionTableRow = memo(function SessionTableRow(props: SessionRowProps) {
  const { at, top, session, activity, current, chosen, onOpen, onPoint, onChoose } = props;
  const place = { transform: `translateY(${top}px)` };
  if (session === undefined) return <div role="row" aria-rowindex={at + 2} className={classes.row} style={place} data-waiting />;
  const { summary } = session;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid has the keys of all of its rows
    <div
      role="row"
      id={`session-${session.id}`}
      aria-rowindex={at + 2}
      aria-selected={chosen}
      className={classes.row}
      style={place}
      data-current={current || undefined}
      onClick={(event) => onPoint(at, session, event)}
      onDoubleClick={() => onOpen(session)}
    >
      <span role="gridcell" className={classes.choose}>
        <input
          type="checkbox"
          tabIndex={-1}
          checked={chosen}
          aria-label="Choose this session"
          onChange={() => onChoose(at)}
          onClick={(event) => event.stopPropagation()}
        />
      </span>
      <span role="gridcell" className="muted">
        <TimeText time={session.started} text={startedText(session.started)} />
      </span>
      <span role="gridcell">
        <Who principal={session.principal} onBehalfOf={session.onBehalfOf} />
      </span>
      <span role="gridcell">
        <TargetLabel name={session.target} {...(summary === undefined ? {} : { tags: summary.tags })} />
      </span>
      <span role="gridcell" className={classes.protocol}>
        <ProtocolBadge protocol={session.protocol} />
      </span>
      <span role="gridcell" className="mono">
        {session.state === 'live' ? <Tell tone="ok">running</Tell> : length(microsBetween(session.started, session.ended))}
      </span>
      <span role="gridcell" className={`muted ${classes.what}`}>
        {summary !== undefined && (summary.actions === 0 ? 'connected only' : counting(summary.actions, 'action'))}
      </span>
      <span role="gridcell" className={classes.activity}>
        <ActivityStrip parts={activity} />
      </span>
      <span role="gridcell" className={classes.notable}>
        {summary !== undefined && <Flags summary={summary} />}
      </span>
      <span role="gridcell">{summary !== undefined && <Evidence evidence={summary.evidence} review={summary.review} />}</span>
    </div>
  );
});

function Flags({ summary }: { summary: NonNullable<ListedSession['summary']> }) {
  return flagOrder
    .filter((flag) => summary.flags.includes(flag))
    .map((flag) => (
      <Tell key={flag} tone={flagTones[flag]}>
        {flag === 'asked' ? `${summary.asked} asked` : flag === 'denied' ? `${summary.denied} denied` : flag}
      </Tell>
    ));
}

const evidenceWords = {
  open: ['plain', 'not sealed yet', 'It runs, or not all of it is under a signed checkpoint yet'],
  committed: ['ok', '✓ committed', 'Everything of it is under a signed checkpoint of the ledger'],
  verified: ['ok', '✓ verified', 'Its recordings and records were verified since the gateway started'],
  failed: ['deny', '✗ failed', 'The last verification found something wrong'],
  erased: ['plain', 'erased', 'Its recordings are erased; that they were is on record'],
} as const satisfies Record<NonNullable<ListedSession['summary']>['evidence'], readonly [Tone, string, string]>;

function Evidence({ evidence, review }: Pick<NonNullable<ListedSession['summary']>, 'evidence' | 'review'>) {
  const [tone, words, title] = evidenceWords[evidence];
  return (
    <span className={classes.evidence}>
      <Tell tone={tone} title={title}>
        {words}
      </Tell>
      {review !== 'none' && <Tell tone={review === 'fine' ? 'ok' : 'deny'}>{review === 'fine' ? 'signed off' : 'concern'}</Tell>}
    </span>
  );
}

function startedText(time: string): string {
  return Date.now() - Date.parse(time) < 12 * 3600_000 ? clockTime(time) : shortDateTime(time).replace(/:\d\d$/, '');
}
