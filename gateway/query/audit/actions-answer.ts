import type { AuditRecord } from '../../../contract/record.ts';
import { matches, whoCells } from './actor-words.ts';
import { FollowedSessions } from './followed-sessions.ts';
import { type Answering, type Asked, isInPeriod, type Row, type Seen } from './question.ts';

type Decided = AuditRecord<'action.decided'>;

/** An action as far as the records tell. */
export interface ActionFound {
  index: number;
  decided: Decided;
  /** The record that says how it ended, and when something said that it had: its own end, its channel's, its session's. */
  finished: AuditRecord<'action.finished'> | undefined;
  ended: string | null;
  /** Of what policy asks an approval for: a grant for it was used. */
  granted: boolean;
}

/** Starting one of these holds a channel until it ends, so an end follows. Others are over when they are decided. */
const HAS_AN_END: ReadonlySet<string> = new Set(['ssh:exec', 'ssh:shell', 'ssh:subsystem']);

/**
 * Decisions about actions, each with its end. An action is in the period when it was decided or still went on in it.
 * Memory: actions that are under way at the same time.
 */
export class ActionsAnswer implements Answering {
  readonly #asked: Asked;
  readonly #wanted: (decided: Decided) => boolean;
  readonly #row: (found: ActionFound) => Row;
  readonly #sessions: FollowedSessions;
  /** Under way, by session: the channel's and the action's names, in the order of the ledger. */
  readonly #underWay = new Map<string, Map<string, ActionFound>>();

  constructor(asked: Asked, wanted: (decided: Decided) => boolean, row: (found: ActionFound) => Row) {
    this.#asked = asked;
    this.#wanted = wanted;
    this.#row = row;
    this.#sessions = new FollowedSessions(asked.period);
  }

  *take(seen: Seen): Generator<Row> {
    const { record, index, time, session } = seen;
    const step = this.#sessions.take(seen);
    if (session === null) return;
    const protocol = this.#sessions.get(session)?.open?.body.protocol ?? step?.followed.open?.body.protocol;
    if (record?.type === 'action.decided' && this.#wanted(record)) {
      if (matches({ actor: record.actor, target: record.target, protocol }, this.#asked.filters) === 'no') return;
      yield* this.#begin(session, { index, decided: record, finished: undefined, ended: null, granted: false }, time);
    } else if (record?.type === 'grant.used') {
      this.#grant(session, record);
    } else if (record?.type === 'action.finished') {
      yield* this.#end(session, keyOf(record.body), time, record);
    } else if (record?.type === 'channel.close') {
      yield* this.#endAll(session, time, record.body.channel);
    } else if (seen.type === 'session.close' || seen.type === 'session.recovered') {
      yield* this.#endAll(session, time);
    }
  }

  *finish(): Generator<Row> {
    for (const session of [...this.#underWay.keys()]) yield* this.#endAll(session, null);
  }

  *#begin(session: string, found: ActionFound, time: string): Generator<Row> {
    const { decided } = found;
    const { decision, action } = decided.body;
    if (decision.verdict === 'deny' || (decision.verdict === 'allow' && !HAS_AN_END.has(action))) {
      if (isInPeriod(time, this.#asked.period)) yield this.#row(found);
      return;
    }
    const own = this.#underWay.get(session) ?? new Map<string, ActionFound>();
    const key = keyOf(decided.body);
    // One channel starts one thing at a time: an earlier one that has no end yet was refused by the target.
    const earlier = own.get(key);
    if (earlier !== undefined) yield* this.#tell(earlier, time);
    own.set(key, found);
    this.#underWay.set(session, own);
  }

  /** What waits for it in the same channel begins with it. */
  #grant(session: string, { body }: AuditRecord<'grant.used'>): void {
    for (const found of this.#underWay.get(session)?.values() ?? []) {
      const { decision, channel, action } = found.decided.body;
      if (decision.verdict !== 'ask' || found.granted || action !== body.action || channel !== body.channel) continue;
      found.granted = true;
      return;
    }
  }

  *#end(session: string, key: string, time: string, finished: AuditRecord<'action.finished'>): Generator<Row> {
    const own = this.#underWay.get(session);
    const found = own?.get(key);
    if (own === undefined || found === undefined) return;
    own.delete(key);
    if (own.size === 0) this.#underWay.delete(session);
    yield* this.#tell({ ...found, finished }, time);
  }

  *#endAll(session: string, time: string | null, channel?: number): Generator<Row> {
    const own = this.#underWay.get(session);
    if (own === undefined) return;
    for (const [key, found] of own) {
      if (channel !== undefined && found.decided.body.channel !== channel) continue;
      own.delete(key);
      yield* this.#tell(found, time);
    }
    if (own.size === 0) this.#underWay.delete(session);
  }

  *#tell(found: ActionFound, ended: string | null): Generator<Row> {
    const { from, to } = this.#asked.period;
    const { time } = found.decided;
    if ((to === undefined || time < to) && (from === undefined || time >= from || ended === null || ended >= from))
      yield this.#row({ ...found, ended });
  }
}

function keyOf({ channel, action, digest }: { channel: number; action: string; digest: string }): string {
  return `${channel} ${action} ${digest}`;
}

/** What most answers about actions say of each. */
export function actionCells(found: ActionFound): Row {
  const { index, decided, finished, ended } = found;
  const { body, actor, target } = decided;
  return {
    time: decided.time,
    session: decided.session ?? null,
    ...whoCells(actor),
    target: target.name,
    channel: body.channel,
    action: body.action,
    verdict: body.decision.verdict,
    ended,
    exit_status: finished?.body.exit?.status ?? null,
    exit_signal: finished?.body.exit?.signal ?? null,
    outcome: outcomeOf(found),
    index,
  };
}

function outcomeOf({ decided, finished, ended, granted }: ActionFound): string {
  const { verdict } = decided.body.decision;
  if (verdict === 'deny') return 'refused';
  if (verdict === 'ask' && !granted)
    return finished?.outcome === 'success' ? 'carried out WITHOUT the approval that policy asks for' : 'not approved';
  if (finished !== undefined) return finished.body.result.refused === true ? 'refused by the target' : finished.outcome;
  if (!HAS_AN_END.has(decided.body.action)) return 'allowed';
  return ended === null ? 'no end is recorded' : 'ended without a result';
}
