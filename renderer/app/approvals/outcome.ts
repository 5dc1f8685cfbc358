import type { Approval } from '../../../contract/operator-api.ts';

export interface Outcome {
  readonly tone: 'ok' | 'deny' | 'ask' | 'plain';
  readonly words: string;
}

/** What became of a request, in a few words; what reviewers said stands beside it. */
export function outcomeOf({ state, decisions, request }: Pick<Approval, 'state' | 'decisions' | 'request'>): Outcome {
  switch (state) {
    case 'approved':
      return { tone: 'ok', words: `Approved by ${namesOf(decisions, 'approve')}` };
    case 'denied':
      return { tone: 'deny', words: `Denied by ${namesOf(decisions, 'deny')}` };
    case 'expired':
      return { tone: 'plain', words: 'Expired: nobody decided in time, so it was not done' };
    case 'withdrawn':
      return { tone: 'plain', words: 'Withdrawn: whoever asked does not wait any more' };
    case 'reviewed': {
      const objected = decisions.some(({ verdict }) => verdict === 'deny');
      return objected
        ? { tone: 'deny', words: `Objected to by ${namesOf(decisions, 'deny')}` }
        : { tone: 'ok', words: `Found justified by ${namesOf(decisions, 'approve')}` };
    }
    case 'review':
      return { tone: 'ask', words: 'Done without approval, and to be reviewed' };
    default:
      return { tone: 'ask', words: decisions.length === 0 ? 'Waits' : `Waits: ${decisions.length} of ${request.needed} have approved` };
  }
}

function namesOf(decisions: Approval['decisions'], verdict: 'approve' | 'deny'): string {
  const names = decisions.filter((decision) => decision.verdict === verdict).map(({ reviewer }) => reviewer);
  return names.length === 0 ? 'nobody that is known' : names.join(' and ');
}

/** For how long an approval is good. */
export function grantWords(grants: Approval['request']['grants']): string {
  if (grants === 'once') return 'this once';
  if (grants === 'session') return 'as often as wanted in this session';
  const minutes = Math.round(grants / 60);
  return minutes >= 1 ? `for ${minutes} min, as often as wanted` : `for ${grants} s, as often as wanted`;
}

/** How often the same was asked before: of the same principal, target, text and policy, which is what a digest says. */
export function sameBefore(approval: Approval, all: readonly Approval[]): { approved: number; denied: number; last: string | undefined } {
  const same = all.filter(({ request }) => request.digest === approval.request.digest && request.id !== approval.request.id);
  const approved = same.filter(({ state }) => state === 'approved');
  const denied = same.filter(({ state }) => state === 'denied');
  const last = approved
    .map(({ request }) => request.asked)
    .toSorted()
    .at(-1);
  return { approved: approved.length, denied: denied.length, last };
}
