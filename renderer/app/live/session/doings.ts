import { describeRecord } from '../../../bundle-page/screens/describe-record.ts';
import { factsOf, textOr } from '../../../evidence/record-facts.ts';

/** A record of the session as somebody who watches wants it. */
export interface Doing {
  readonly key: string;
  readonly time: string;
  readonly tone: 'plain' | 'ok' | 'ask' | 'deny' | 'accent';
  readonly words: string;
  /** The exact text of a command, a file, an address, where there is one. */
  readonly text: string | undefined;
}

interface Told {
  readonly type: string;
  readonly time: string;
  readonly sha256: string;
  readonly record: Readonly<Record<string, unknown>> | null;
}

/** What was done is told by what was decided about it; sealing, looking and closing are not what somebody did. */
const quiet = new Set(['segment.sealed', 'access.viewed', 'action.finished', 'grant.used', 'channel.close']);

/** What a session has done so far, the newest first. */
export function doingsOf(records: readonly Told[]): Doing[] {
  return records
    .filter(({ type, record }) => record !== null && !quiet.has(type))
    .map((told) => doingOf(told))
    .toReversed();
}

function doingOf({ type, time, sha256, record }: Told): Doing {
  const facts = factsOf(record);
  const [body, actor, target] = [factsOf(facts.body), factsOf(facts.actor), factsOf(facts.target)];
  const verdict = textOr(factsOf(body.decision).verdict, '');
  const asked = factsOf(factsOf(body.request).facts);
  const text = [factsOf(body.facts), asked, factsOf(body.detail)].map(textIn).find((found) => found !== undefined);
  const described = describeRecord({
    index: 0,
    text: '',
    type,
    time,
    session: undefined,
    outcome: textOr(facts.outcome, ''),
    actor,
    target,
    body,
  });
  return { key: sha256, time, tone: toneOf(type, verdict, textOr(body.verdict, '')), words: described, text };
}

function textIn(facts: Readonly<Record<string, unknown>>): string | undefined {
  for (const name of ['command', 'line', 'path', 'to', 'name']) {
    const value = facts[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}

function toneOf(type: string, decided: string, said: string): Doing['tone'] {
  if (type === 'session.refused' || decided === 'deny' || said === 'deny' || type === 'supervise.terminate') return 'deny';
  if (type === 'approval.asked' || decided === 'ask' || type === 'approval.expired') return 'ask';
  if (said === 'approve') return 'ok';
  return type.startsWith('supervise.') ? 'accent' : 'plain';
}
