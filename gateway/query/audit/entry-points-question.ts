import type { AuditRecord } from '../../../contract/record.ts';
import { addressOf, matches } from './actor-words.ts';
import { type Followed, FollowedSessions } from './followed-sessions.ts';
import { Groups } from './groups.ts';
import type { Answering, Asked, Question, Row, Seen } from './question.ts';
import { filteredOf } from './sessions-question.ts';

export const entryPointsQuestion: Question = {
  name: 'entry-points',
  asks: 'From where and how did access enter: sources, protocols, ciphers?',
  columns: [
    { name: 'protocol', says: 'ssh …' },
    { name: 'address', says: "the client's address" },
    { name: 'client', says: "the client's software as it names itself; of refusals it is not recorded" },
    { name: 'key_exchange', says: 'negotiated with the client; empty where it is not recorded (refusals, records before 0.2)' },
    { name: 'host_key', says: 'algorithm of the host key, likewise', wide: true },
    { name: 'cipher_in', says: 'cipher from the client, likewise' },
    { name: 'cipher_out', says: 'cipher to the client, likewise', wide: true },
    { name: 'mac_in', says: 'MAC from the client, likewise; "none" when the cipher authenticates by itself', wide: true },
    { name: 'mac_out', says: 'MAC to the client, likewise', wide: true },
    { name: 'sessions', says: 'sessions in the period' },
    { name: 'refused', says: 'log-ins and sessions that were refused in the period' },
    { name: 'first', says: 'the first of them (UTC)' },
    { name: 'last', says: 'the last of them (UTC)' },
  ],
  filters: ['protocol'],
  limits: [
    'What was negotiated is that of the beginning of a session, between client and gateway; between gateway and target it is not recorded yet',
    'A connection that made no attempt to log in, or that was dropped because its source was locked out, leaves no record',
  ],
  missing: [],
  order: 'in the order in which each was first counted; kinds beyond 50,000 have several rows, whose counts add up',
  followsSessions: true,
  context: [],
  answer: (asked) => new EntryPointsAnswer(asked),
};

class EntryPointsAnswer implements Answering {
  unmatchedErased = 0;
  readonly #asked: Asked;
  readonly #sessions: FollowedSessions;
  readonly #groups = new Groups(['sessions', 'refused']);

  constructor(asked: Asked) {
    this.#asked = asked;
    this.#sessions = new FollowedSessions(asked.period);
  }

  *take(seen: Seen): Generator<Row> {
    const { record, inPeriod, time } = seen;
    if (record?.type === 'auth.refused' || record?.type === 'session.refused') {
      if (inPeriod) yield* this.#refused(record, time);
      return;
    }
    const step = this.#sessions.take(seen);
    if (step?.inPeriod === true) yield* this.#session(step.followed);
  }

  *finish(): Generator<Row> {
    for (const followed of this.#sessions.rest()) yield* this.#session(followed);
    yield* this.#groups.flush();
  }

  *#refused({ actor, target, body }: AuditRecord<'auth.refused' | 'session.refused'>, time: string): Generator<Row> {
    if (matches({ actor, target, protocol: body.protocol }, this.#asked.filters) !== 'yes') return;
    yield* this.#groups.add(
      { protocol: body.protocol, address: addressOf(actor.source), client: null, ...negotiated(undefined) },
      'refused',
      time,
    );
  }

  *#session(followed: Followed): Generator<Row> {
    const filtered = filteredOf(followed);
    const match = matches(filtered, this.#asked.filters);
    if (match === 'unknown') this.unmatchedErased += 1;
    if (match !== 'yes') return;
    const { open } = followed;
    const address = open === undefined ? null : addressOf(open.actor.source);
    const cells = { protocol: filtered.protocol ?? null, address, client: open?.body.client ?? null, ...negotiated(open) };
    yield* this.#groups.add(cells, 'sessions', followed.started);
  }
}

function negotiated(open: AuditRecord<'session.open'> | undefined): Row {
  const transport = open?.body.transport;
  return {
    key_exchange: transport?.keyExchange ?? null,
    host_key: transport?.hostKey ?? null,
    cipher_in: transport?.cipher.in ?? null,
    cipher_out: transport?.cipher.out ?? null,
    mac_in: transport?.mac.in ?? null,
    mac_out: transport?.mac.out ?? null,
  };
}
