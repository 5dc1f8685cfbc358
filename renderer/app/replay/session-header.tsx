import { Button } from '@mantine/core';
import { Link } from 'wouter';
import type { OperationOutput } from '../../../contract/operator-api.ts';
import { counting, length, microsBetween } from '../design/format.ts';
import { ProtocolBadge, TargetLabel, Tell, TimeText, type Tone, Who } from '../design/labels.tsx';
import { routes } from '../routes.ts';
import classes from './replay.module.css';
import { useSessionRecords } from './session-records.ts';

type Shown = OperationOutput<'session.show'>;

/** Which session it is, and how it stands as evidence. */
export function SessionHeader({
  shown: { session, summary },
  ready,
  signOff,
  save,
}: {
  shown: Shown;
  /** The recording is open, or cannot be. */
  ready: boolean;
  signOff: (() => void) | undefined;
  save: (() => void) | undefined;
}) {
  const live = session.state === 'live';
  return (
    <>
      <div className={classes.what}>
        <nav className={classes.crumbs} aria-label="Where this is">
          <Link href={routes.sessions}>Sessions</Link>
          <span className="faint" aria-hidden="true">
            ›
          </span>
        </nav>
        <Who principal={session.principal} onBehalfOf={session.onBehalfOf} />
        <span className="faint">on</span>
        <TargetLabel name={session.target} tags={summary.tags} />
        <ProtocolBadge protocol={session.protocol} />
        <span className={`${classes.when} mono`}>
          <TimeText time={session.started} />
          <span className="faint"> · </span>
          {live ? <Tell tone="accent">running</Tell> : length(microsBetween(session.started, session.ended))}
        </span>
      </div>
      <div className={classes.deeds}>
        <EvidencePill session={session.id} ready={ready} evidence={summary.evidence} flags={summary.flags} />
        {live && (
          <Button component={Link} href={routes.liveSession(session.id)}>
            Watch live
          </Button>
        )}
        {signOff !== undefined && <Button onClick={signOff}>Sign off…</Button>}
        {save !== undefined && <Button onClick={save}>Export…</Button>}
      </div>
    </>
  );
}

const stands: Readonly<Record<Shown['summary']['evidence'], { words: string; tone: Tone; sign: string; title: string }>> = {
  open: { words: 'not sealed yet', tone: 'plain', sign: '○', title: 'It runs, or not everything of it is under a signed checkpoint yet' },
  committed: { words: 'committed', tone: 'plain', sign: '', title: 'Everything of it is under a signed checkpoint of the ledger' },
  verified: { words: 'verified', tone: 'ok', sign: '✓', title: 'The last verification of this gateway’s run found it as it was sealed' },
  failed: {
    words: 'verification failed',
    tone: 'deny',
    sign: '✗',
    title: 'The last verification found that something of it is not as it was sealed',
  },
  erased: {
    words: 'erased',
    tone: 'plain',
    sign: '–',
    title: 'Its recording and its records are gone; the ledger proves that they were there',
  },
};

function EvidencePill({
  session,
  ready,
  evidence,
  flags,
}: {
  session: string;
  ready: boolean;
  evidence: Shown['summary']['evidence'];
  flags: Shown['summary']['flags'];
}) {
  const { words, tone, sign, title } = stands[evidence];
  const segments = useSessionRecords(session, ready).data?.records.filter(({ type }) => type === 'segment.sealed').length;
  return (
    <span className={classes.pill} data-tone={tone} title={title}>
      <Tell tone={tone}>{sign === '' ? words : `${sign} ${words}`}</Tell>
      {segments !== undefined && segments > 0 && <span className="muted"> · {counting(segments, 'segment')}</span>}
      {flags.includes('recovered') && (
        <span className={classes.recovered} title="The gateway ended before the session did; what was recorded was recovered">
          {' '}
          · recovered
        </span>
      )}
    </span>
  );
}
