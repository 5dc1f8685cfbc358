import type { OperationOutput } from '../../../../contract/operator-api.ts';

type Row = OperationOutput<'session.list'>['sessions'][number];
type Waiting = OperationOutput<'approval.list'>['approvals'][number];

/** A session that runs, with what decides where it stands on the wall. */
export interface Running {
  readonly id: string;
  readonly started: string;
  readonly principal: string;
  readonly onBehalfOf: string | null;
  readonly target: string;
  readonly protocol: string;
  readonly source: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly paused: boolean;
  readonly stepping: boolean;
  readonly watchers: number;
  readonly asked: number;
  readonly denied: number;
  /** When the first of what it waits for expires; undefined when it waits for nobody. */
  readonly deadline: string | undefined;
  /** What that is. */
  readonly asks: Waiting['request'] | undefined;
}

/** Rows of sessions that do not run any more, though nobody has written so yet, are left out. */
export function runningOf(rows: readonly Row[], approvals: readonly Waiting[]): Running[] {
  const first = new Map<string, Waiting['request']>();
  for (const { state, request } of approvals) {
    const known = first.get(request.session);
    if (state === 'waiting' && (known === undefined || request.expires < known.expires)) first.set(request.session, request);
  }
  return rows.flatMap(({ live, summary, ...row }) =>
    live === undefined || live === null
      ? []
      : [
          {
            id: row.id,
            started: row.started,
            principal: row.principal,
            onBehalfOf: row.onBehalfOf,
            target: row.target,
            protocol: row.protocol,
            source: row.source,
            tags: summary?.tags ?? {},
            paused: live.paused,
            stepping: live.stepping,
            watchers: live.watchers,
            asked: summary?.asked ?? 0,
            denied: summary?.denied ?? 0,
            deadline: first.get(row.id)?.expires,
            asks: first.get(row.id),
          },
        ],
  );
}

/** What waits for a person first, the next to expire before others; then by risk; then the newest. */
export function byNeed(a: Running, b: Running): number {
  if (a.deadline !== b.deadline) {
    if (a.deadline === undefined) return 1;
    if (b.deadline === undefined) return -1;
    return a.deadline < b.deadline ? -1 : 1;
  }
  return riskOf(b) - riskOf(a) || (a.started > b.started ? -1 : a.started < b.started ? 1 : a.id < b.id ? 1 : -1);
}

/** More of it stands further in front. What was refused says that somebody tries what they may not. */
export function riskOf({
  tags,
  stepping,
  paused,
  asked,
  denied,
}: Pick<Running, 'tags' | 'stepping' | 'paused' | 'asked' | 'denied'>): number {
  return (isProduction(tags) ? 4 : 0) + (denied > 0 ? 3 : 0) + (stepping ? 2 : 0) + (paused ? 2 : 0) + (asked > 0 ? 1 : 0);
}

export function isProduction({ env = '' }: Readonly<Record<string, string>>): boolean {
  return /^prod/i.test(env);
}

export interface Standing {
  readonly tone: 'ask' | 'deny' | 'accent' | 'plain';
  readonly words: string;
}

/** What of a session is worth a word, the weightiest first. The ring of its tile has the colour of the first. */
export function standingsOf({ deadline, paused, stepping, denied }: Running): Standing[] {
  const all: Standing[] = [];
  if (deadline !== undefined) all.push({ tone: 'ask', words: 'waits for approval' });
  if (paused) all.push({ tone: 'accent', words: 'paused' });
  if (stepping) all.push({ tone: 'accent', words: 'stepping' });
  if (denied > 0) all.push({ tone: 'deny', words: `${denied} denied` });
  return all;
}
