import { createHash } from 'node:crypto';
import type { Actor, RecordBody, RecordDraft, Resource } from '../../contract/record.ts';
import { type ReviewStatement, reviewSubject, statementText } from '../../contract/signed-statements.ts';
import type { ReviewerKey } from './reviewer-key.ts';

const web: Resource = { name: 'web-1', kind: 'ssh', address: '192.0.2.10:22' };

export interface ReviewedSegment {
  channel: number;
  segment: number;
  sha256: string;
}

/** A segment of a recording as far as records tell of it; there is no such file. */
export function sealed(session: string, actor: Actor, change: Partial<RecordBody<'segment.sealed'>> = {}): RecordDraft<'segment.sealed'> {
  const stream = { offset: 0, bytes: 0, sha256: 'e'.repeat(64) };
  const body = {
    channel: 0,
    segment: 1,
    file: `recordings/2026/03/${session}/0/0001.cast.zst`,
    bytes: 10,
    sha256: 'd'.repeat(64),
    from: 0,
    to: 60_000_000_000,
    events: 3,
    streams: { i: stream, o: stream, e: stream },
    attachments: [],
    ...change,
  };
  return { type: 'segment.sealed', outcome: 'success', actor, target: web, session, body };
}

/** What is signed of a session; `signed` is what the signature is over where it says something else than the record. */
export function signedOff(
  origin: string,
  { session, segments, reviewer, key }: { session: string; segments: readonly ReviewedSegment[]; reviewer: string; key: ReviewerKey },
  change: Partial<RecordBody<'session.reviewed'>> & { signed?: Partial<ReviewStatement>; kind?: Actor['kind'] } = {},
): RecordDraft<'session.reviewed'> {
  const { signed, kind = 'human', ...body } = change;
  const subject = createHash('sha256').update(reviewSubject(session, segments)).digest('hex');
  const said = { subject, verdict: 'fine' as const, reason: 'looked at it', ...body };
  const { namespace, text } = statementText({
    kind: 'review',
    origin,
    review: { session, subject: said.subject, verdict: said.verdict, reviewer, reason: said.reason, ...signed },
  });
  return {
    type: 'session.reviewed',
    outcome: 'success',
    actor: { principal: reviewer, kind, authentication: { method: 'publickey', key: key.fingerprint }, source: '192.0.2.99:1' },
    target: web,
    session,
    body: { watched: { nanos: 0, of: 60_000_000_000 }, key: key.line, signature: key.sign(text, namespace), ...said },
  };
}

export function watched(session: string, reviewer: string, from: number, to: number): RecordDraft<'access.viewed'> {
  return {
    type: 'access.viewed',
    outcome: 'success',
    actor: { principal: reviewer, kind: 'human', source: '192.0.2.99:1' },
    target: web,
    session,
    body: { how: 'play', channel: 0, from, to },
  };
}
