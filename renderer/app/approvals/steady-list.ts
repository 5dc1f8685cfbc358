import type { Approval } from '../../../contract/operator-api.ts';

/** For so long after something has moved or come up, a click or a key may have been meant for what stood there before. */
export const SETTLED_MILLIS = 700;

/** A request in the list of those that wait: as it is, or, when it is over, as it was when it was last seen waiting. */
export interface Listed {
  readonly approval: Approval;
  readonly over: boolean;
}

/**
 * What is listed next, after what was listed, when other requests wait. What somebody has in front of them stays where it
 * is: a key or a click that was meant for one request must not reach another one. So
 * - the selected request and those before it keep their places, also when they are over: they stay as that;
 * - of those behind it, the ones that are over leave, and new ones come in, in the order of their deadlines.
 */
export function nextList(before: readonly Listed[], waiting: readonly Approval[], selected: string | undefined): Listed[] {
  const byId = new Map(waiting.map((approval) => [approval.request.id, approval]));
  const at = selected === undefined ? -1 : before.findIndex(({ approval }) => approval.request.id === selected);
  const kept = before.slice(0, at + 1).map(({ approval }): Listed => {
    const now = byId.get(approval.request.id);
    byId.delete(approval.request.id);
    return now === undefined ? { approval, over: true } : { approval: now, over: false };
  });
  const behind = [...byId.values()].toSorted(byDeadline).map((approval): Listed => ({ approval, over: false }));
  return [...kept, ...behind];
}

/** Anew, in order, without what is over: when somebody comes back, or asks for it. */
export function freshList(waiting: readonly Approval[]): Listed[] {
  return waiting.toSorted(byDeadline).map((approval) => ({ approval, over: false }));
}

/** Whether a request that waits stands behind one with a later deadline. */
export function isOutOfOrder(listed: readonly Listed[]): boolean {
  const open = listed.filter(({ over }) => !over).map(({ approval }) => approval);
  return open.some((approval, at) => at > 0 && byDeadline(open[at - 1] as Approval, approval) > 0);
}

/** The next in a direction, or the first where nothing is selected. */
export function neighbour(listed: readonly Listed[], selected: string | undefined, by: -1 | 1): string | undefined {
  const at = listed.findIndex(({ approval }) => approval.request.id === selected);
  const next = at === -1 ? 0 : Math.min(listed.length - 1, Math.max(0, at + by));
  return listed[next]?.approval.request.id;
}

/** The next to expire first; of those that expire in the same minute, what only reads comes last. */
function byDeadline(a: Approval, b: Approval): number {
  const [left, right] = [orderOf(a), orderOf(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function orderOf({ request: { expires, id, action } }: Approval): string {
  const minute = expires.slice(0, 16);
  return `${minute} ${action === 'ssh:read-file' ? 1 : 0} ${expires} ${id}`;
}
