import type { AuditRecord } from '../../../contract/record.ts';
import { Watched, watchedNanos } from '../review/read-session-review.ts';
import { ReviewSubject } from '../review/recorded-part.ts';
import { conflictWithSession, readReview } from '../review/signed-review.ts';
import { humanBehind, matches } from './actor-words.ts';
import { type Followed, FollowedSessions } from './followed-sessions.ts';
import type { Answering, Asked, Question, Row, Seen } from './question.ts';
import { filteredOf } from './sessions-question.ts';

export const unreviewedQuestion: Question = {
  name: 'unreviewed',
  asks: 'Which sessions has nobody signed off, and how much of them did anybody look at?',
  columns: [
    { name: 'session', says: 'id of the session' },
    { name: 'started', says: 'when it began (UTC)' },
    { name: 'ended', says: 'when it ended; of a recovered one when something last happened in it' },
    { name: 'human', says: 'the human behind it' },
    { name: 'principal', says: 'who logged in' },
    { name: 'kind', says: 'human or agent' },
    { name: 'target', says: 'what was reached' },
    { name: 'protocol', says: 'ssh …', wide: true },
    { name: 'why', says: 'never signed off, or what is wrong with the sign-offs that there are' },
    { name: 'sign_offs', says: 'sign-offs on record, none of which counts', wide: true },
    { name: 'notes', says: 'notes on it' },
    { name: 'seconds', says: 'how long its recordings are, all channels together' },
    { name: 'watched_percent', says: 'how much of them was shown to anybody' },
    { name: 'watched_by', says: 'to whom, and how much to each' },
    { name: 'index', says: 'ledger index of its opening', wide: true },
    { name: 'end_index', says: 'ledger index of its end', wide: true },
  ],
  filters: ['principal', 'onBehalfOf', 'target', 'protocol'],
  limits: [
    'Who should have reviewed a session, and by when, is not on record',
    'What was shown is what the programs of operators said, and nobody records where they looked',
  ],
  missing: [],
  order: 'in the order in which the ends of the sessions were recorded',
  followsSessions: true,
  context: [],
  asides: ['access.viewed', 'review.noted', 'session.reviewed'],
  answer: (asked) => new UnreviewedAnswer(asked),
};

type Seal = AuditRecord<'segment.sealed'>['body'];

/** What was said of a session that ends now. */
interface Said {
  readonly session: string;
  readonly views: AuditRecord<'access.viewed'>[];
  readonly signOffs: AuditRecord<'session.reviewed'>[];
  notes: number;
}

class UnreviewedAnswer implements Answering {
  readonly #asked: Asked;
  readonly #sessions: FollowedSessions;
  /** Of the sessions that are open at a place of the ledger. */
  readonly #seals = new Map<string, Map<string, Seal>>();
  #said: Said | undefined;
  #counts = { signedOff: 0, unreviewed: 0, running: 0, erased: 0 };

  constructor(asked: Asked) {
    this.#asked = asked;
    this.#sessions = new FollowedSessions(asked.period);
  }

  get remarks(): string[] {
    const { signedOff, unreviewed, running, erased } = this.#counts;
    const remarks = [`Of ${signedOff + unreviewed} sessions that are over, ${signedOff} are signed off as they are recorded now`];
    if (running > 0) remarks.push(`${running} more run, and are signed off when they are over`);
    if (erased > 0) remarks.push(`${erased} more are erased, and cannot be reviewed any more`);
    return remarks;
  }

  *take(seen: Seen): Generator<Row> {
    if (seen.phase === 'aside') {
      this.#note(seen);
      return;
    }
    if (seen.record?.type === 'segment.sealed' && seen.session !== null) this.#seal(seen.session, seen.record.body);
    const step = this.#sessions.take(seen);
    if (step?.over !== true) return;
    if (step.inPeriod) yield* this.#row(step.followed);
    this.#seals.delete(step.followed.session);
    this.#said = undefined;
  }

  finish(): Row[] {
    for (const followed of this.#sessions.rest())
      if (matches(filteredOf(followed), this.#asked.filters) === 'yes') this.#counts.running += 1;
    return [];
  }

  #note({ session, record }: Seen): void {
    if (session === null || record === undefined) return;
    if (this.#said?.session !== session) this.#said = { session, views: [], signOffs: [], notes: 0 };
    if (record.type === 'access.viewed') this.#said.views.push(record);
    if (record.type === 'session.reviewed') this.#said.signOffs.push(record);
    if (record.type === 'review.noted') this.#said.notes += 1;
  }

  #seal(session: string, seal: Seal): void {
    const seals = this.#seals.get(session) ?? new Map<string, Seal>();
    this.#seals.set(session, seals.set(`${seal.channel}/${seal.segment}`, seal));
  }

  *#row(followed: Followed): Generator<Row> {
    const { session, open, end } = followed;
    if (matches(filteredOf(followed), this.#asked.filters) !== 'yes') return;
    if (end?.kind === 'erased' || open === undefined) {
      this.#counts.erased += 1;
      return;
    }
    const seals = [...(this.#seals.get(session)?.values() ?? [])].sort((a, b) => a.channel - b.channel || a.segment - b.segment);
    const said = this.#said?.session === session ? this.#said : undefined;
    const signOffs = said?.signOffs ?? [];
    const why = this.#whyNot(subjectOf(session, seals), open, signOffs);
    if (why === undefined) {
      this.#counts.signedOff += 1;
      return;
    }
    this.#counts.unreviewed += 1;
    yield {
      session,
      started: followed.started,
      ended: end?.ended ?? null,
      human: humanBehind(open.actor),
      principal: open.actor.principal,
      kind: open.actor.kind,
      target: open.target.name,
      protocol: open.body.protocol,
      why,
      sign_offs: signOffs.length,
      notes: said?.notes ?? 0,
      ...watchedCells(seals, said?.views ?? []),
      index: followed.openIndex,
      end_index: end?.index ?? null,
    };
  }

  /** Undefined when one of them counts. */
  #whyNot(
    subject: string,
    { actor }: AuditRecord<'session.open'>,
    signOffs: readonly AuditRecord<'session.reviewed'>[],
  ): string | undefined {
    const { origin } = this.#asked;
    const session = { principal: actor.principal, onBehalfOf: actor.onBehalfOf };
    let why = 'nobody has signed it off';
    for (const record of signOffs) {
      if (conflictWithSession(record.actor.principal, session) !== undefined) why = 'it was signed off by whom it is of';
      else if (origin === undefined || readReview(origin, record).wrong !== undefined) why = 'the signature of its sign-off is not good';
      else if (record.body.subject !== subject) why = 'what was signed off is not what is recorded now';
      else return undefined;
    }
    return why;
  }
}

function subjectOf(session: string, seals: readonly Seal[]): string {
  const subject = new ReviewSubject(session);
  for (const seal of seals) subject.add(seal);
  return subject.digest();
}

function watchedCells(seals: readonly Seal[], views: readonly AuditRecord<'access.viewed'>[]): Row {
  const durations = new Map<number, number>();
  for (const { channel, to } of seals) durations.set(channel, Math.max(durations.get(channel) ?? 0, to));
  const each = new Watched(durations);
  const together = new Watched(durations, () => 'anybody');
  for (const view of views) {
    each.take(view);
    together.take(view);
  }
  const all = [...durations.values()].reduce((sum, nanos) => sum + nanos, 0);
  const percent = (nanos: number): number => (all === 0 ? 0 : Math.floor((nanos * 100) / all));
  return {
    seconds: Math.round(all / 1e6) / 1000,
    watched_percent: percent(watchedNanos(together.byOperator.get('anybody'))),
    watched_by: [...each.byOperator].map(([name, channels]) => `${name} ${percent(watchedNanos(channels))} %`),
  };
}
