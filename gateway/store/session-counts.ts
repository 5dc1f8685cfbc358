import { member, type Projection } from './projection.ts';

/** What is said of an erased session later says nothing of it any more. */
const counted = (what: string): string => `UPDATE sessions SET ${what} WHERE id = new.session AND state <> 'erased';`;
const verdict = member('body.decision.verdict');
const supervised = counted('supervised = 1');

/**
 * What a table of sessions shows of each: how much was decided on, asked for and refused, and what stands out. Numbers and
 * verdicts only, so that they may stand in rows that change (docs/decisions/0004).
 */
export const sessionCountsProjection: Projection = {
  // What was asked of reviewers before the session opened is on record already.
  'session.open': `
    UPDATE sessions
    SET asked = ${verdict} IS 'ask',
        break_glass = EXISTS (SELECT 1 FROM approvals WHERE session = new.session AND state IN ('review', 'reviewed'))
    WHERE seq = new.seq;`,
  'action.decided': counted(`actions = actions + 1, asked = asked + (${verdict} IS 'ask'), denied = denied + (${verdict} IS 'deny')`),
  'segment.sealed': `
    UPDATE sessions SET hidden = hidden + ${member('body.redacted')} WHERE id = new.session AND state <> 'erased' AND ${member('body.redacted')} > 0;`,
  'approval.asked': `
    UPDATE sessions SET break_glass = 1 WHERE id = new.session AND state <> 'erased' AND ${member('body.request.breakGlass')} IS 1;`,
  'approval.decided': `
    UPDATE sessions SET denied = denied + 1 WHERE id = new.session AND state <> 'erased' AND ${member('body.state')} = 'denied';`,
  'approval.expired': counted('denied = denied + 1'),
  'supervise.message': supervised,
  'supervise.pause': supervised,
  'supervise.resume': supervised,
  'supervise.step': supervised,
  'supervise.terminate': counted('supervised = 1, terminated = 1'),
  // The newest verdict holds.
  'session.reviewed': counted(`review = ${member('body.verdict')}`),
};

/** For an erased session. */
export const NOTHING_COUNTED =
  'actions = 0, asked = 0, denied = 0, break_glass = 0, supervised = 0, terminated = 0, hidden = 0, review = NULL';
