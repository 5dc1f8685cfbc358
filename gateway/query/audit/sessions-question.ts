import { humanBehind, matches, NOBODY_KNOWN } from './actor-words.ts';
import { type Followed, FollowedSessions } from './followed-sessions.ts';
import type { Answering, Asked, Question, Row, Seen } from './question.ts';

export const sessionsQuestion: Question = {
  name: 'sessions',
  asks: 'Which privileged access went through this gateway in the period: who, at what, from where, from when to when?',
  columns: [
    { name: 'session', says: 'id of the session' },
    { name: 'started', says: 'when it began (UTC)' },
    { name: 'ended', says: 'when it ended; of a recovered one when something last happened in it' },
    { name: 'state', says: 'closed, recovered (the gateway was killed), running (no end is recorded), erased' },
    { name: 'human', says: 'the human behind it' },
    { name: 'principal', says: 'who logged in' },
    { name: 'kind', says: 'human or agent' },
    { name: 'target', says: 'what was reached' },
    { name: 'target_kind', says: 'ssh, shell …', wide: true },
    { name: 'address', says: "the target's address", wide: true },
    { name: 'protocol', says: 'ssh …' },
    { name: 'source', says: 'address and port of the client' },
    { name: 'method', says: 'how the principal was authenticated', wide: true },
    { name: 'key', says: 'fingerprint of the key that was used', wide: true },
    { name: 'client', says: "the client's software as it names itself", wide: true },
    { name: 'verdict', says: 'what policy said', wide: true },
    { name: 'policies', says: 'the rules that decided', wide: true },
    { name: 'channels', says: 'channels that were opened' },
    { name: 'bytes_in', says: 'bytes to the target', wide: true },
    { name: 'bytes_out', says: 'bytes from the target', wide: true },
    { name: 'reason', says: 'why it ended' },
    { name: 'over_at_the_latest', says: 'time of the record of its end', wide: true },
    { name: 'index', says: 'ledger index of its opening', wide: true },
    { name: 'end_index', says: 'ledger index of its end', wide: true },
  ],
  filters: ['principal', 'onBehalfOf', 'target', 'protocol'],
  limits: [],
  missing: [],
  order: 'in the order in which the ends of the sessions were recorded; those without an end come last',
  followsSessions: true,
  context: [],
  answer: (asked) => new SessionsAnswer(asked),
};

class SessionsAnswer implements Answering {
  unmatchedErased = 0;
  readonly #asked: Asked;
  readonly #sessions: FollowedSessions;

  constructor(asked: Asked) {
    this.#asked = asked;
    this.#sessions = new FollowedSessions(asked.period);
  }

  *take(seen: Seen): Generator<Row> {
    const step = this.#sessions.take(seen);
    if (step?.inPeriod === true) yield* this.#row(step.followed);
  }

  *finish(): Generator<Row> {
    for (const followed of this.#sessions.rest()) yield* this.#row(followed);
  }

  *#row(followed: Followed): Generator<Row> {
    const match = matches(filteredOf(followed), this.#asked.filters);
    if (match === 'unknown') this.unmatchedErased += 1;
    if (match === 'yes') yield sessionRow(followed);
  }
}

/** What filters ask of a session, as far as its records or what remains of them say. */
export function filteredOf({ open, end }: Followed) {
  const erased = end?.record?.type === 'erased' ? end.record : undefined;
  return { actor: open?.actor, target: open?.target ?? erased?.target, protocol: open?.body.protocol ?? erased?.body.remains?.protocol };
}

function sessionRow(followed: Followed): Row {
  const { open, end } = followed;
  const { target, protocol } = filteredOf(followed);
  const close = end?.record?.type === 'session.close' ? end.record.body : undefined;
  const erased = end?.record?.type === 'erased' ? end.record.body : undefined;
  const channels = close?.channels ?? erased?.remains?.channels ?? followed.channels;
  return {
    session: followed.session,
    started: followed.started,
    ended: end?.ended ?? null,
    state: open === undefined && followed.openIndex !== null ? 'erased' : (end?.kind ?? 'running'),
    ...(open === undefined ? NOBODY_KNOWN : { human: humanBehind(open.actor), principal: open.actor.principal, kind: open.actor.kind }),
    target: target?.name ?? null,
    target_kind: target?.kind ?? null,
    address: target?.address ?? null,
    protocol: protocol ?? null,
    source: open?.actor.source ?? null,
    method: open?.actor.authentication?.method ?? null,
    key: open?.actor.authentication?.key ?? null,
    client: open?.body.client ?? null,
    verdict: open?.body.decision.verdict ?? null,
    policies: open?.body.decision.policies ?? null,
    channels,
    bytes_in: close?.bytes.i ?? null,
    bytes_out: close === undefined ? null : close.bytes.o + close.bytes.e,
    reason: reasonOf(followed),
    over_at_the_latest: end?.atTheLatest ?? null,
    index: followed.openIndex,
    end_index: end?.index ?? null,
  };
}

function reasonOf({ end }: Followed): string | null {
  if (end?.record?.type === 'session.close') return end.record.body.reason;
  if (end?.record?.type === 'erased') return `erased: ${end.record.body.reason}`;
  return end?.kind === 'recovered' ? 'the gateway stopped without closing it' : null;
}
