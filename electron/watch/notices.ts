import type { Approval } from '../../contract/operator-api.ts';

/** A native notification. */
export interface Notice {
  readonly title: string;
  readonly body: string;
  /** Where a click leads. */
  readonly route: string;
  /** One of the same replaces the one before. */
  readonly tag: string;
  readonly urgent: boolean;
}

export interface Shown {
  /** The window is in front and has the keyboard. */
  readonly focused: boolean;
  /** The place that it shows. */
  readonly route: string;
}

/** It is urgent when less than this is left. */
const URGENT_MILLIS = 60_000;
const LONGEST_NAME = 80;

/**
 * Whether a request that has come is brought to the person by the system, and how. Not what they may not decide anyhow,
 * and not what they are looking at. What exactly is asked for is not in it: notifications lie open on locked screens.
 */
export function noticeFor({ request, state, yours }: Approval, shown: Shown, now: number): Notice | undefined {
  const reviews = state === 'review';
  if (!yours.may || (state !== 'waiting' && !reviews)) return undefined;
  const route = `/approvals/${request.id}`;
  const inView = shown.route === '/approvals' || shown.route.startsWith('/approvals?') || shown.route.startsWith(route);
  if (shown.focused && inView) return undefined;
  const forWhom = request.onBehalfOf === undefined ? '' : ` for ${short(request.onBehalfOf)}`;
  const left = Date.parse(request.expires) - now;
  return {
    title: reviews ? `${short(request.principal)} went ahead without approval` : `${short(request.principal)} asks for approval`,
    body: `${request.action} on ${short(request.target.name)}${forWhom}. ${reviews ? 'Its review is open.' : leftInWords(left)}`,
    route,
    tag: `approval-${request.id}`,
    urgent: reviews || left < URGENT_MILLIS,
  };
}

function leftInWords(millis: number): string {
  if (millis <= 0) return 'It is about to expire.';
  const seconds = Math.round(millis / 1000);
  if (seconds < 120) return `${seconds} seconds are left.`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} minutes are left.` : `${Math.round(minutes / 60)} hours are left.`;
}

/** Names are other people's words: one line, and nothing that turns it around. */
function short(text: string): string {
  const plain = text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '�');
  return plain.length <= LONGEST_NAME ? plain : `${plain.slice(0, LONGEST_NAME - 1)}…`;
}
