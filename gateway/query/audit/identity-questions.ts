import { matches, NOBODY_KNOWN, whoCells } from './actor-words.ts';
import { type Followed, FollowedSessions } from './followed-sessions.ts';
import { Groups } from './groups.ts';
import type { Answering, Asked, Column, FilterName, Question, Row, Seen } from './question.ts';
import { filteredOf } from './sessions-question.ts';

const filters: readonly FilterName[] = ['principal', 'onBehalfOf', 'target', 'protocol'];
const counted: readonly Column[] = [
  { name: 'sessions', says: 'sessions in the period' },
  { name: 'first', says: 'beginning of the first of them (UTC)' },
  { name: 'last', says: 'beginning of the last of them (UTC)' },
];
const order = 'in the order in which each first had a session end; kinds beyond 50,000 have several rows, whose counts add up';

export const whoQuestion: Question = {
  name: 'who',
  asks: 'Who is the human behind each access, and how was the one who logged in identified?',
  columns: [
    { name: 'human', says: 'the human, or whom the agent acted for; empty where the records are erased' },
    { name: 'principal', says: 'who logged in' },
    { name: 'kind', says: 'human or agent' },
    { name: 'method', says: 'how it was authenticated' },
    { name: 'key', says: 'fingerprint of the key' },
    ...counted,
  ],
  filters,
  limits: [
    'That an agent acts for a human is what the configuration in force said when the session began; which human started the agent on that occasion is not recorded',
  ],
  missing: [],
  order,
  followsSessions: true,
  context: [],
  answer: (asked) =>
    new IdentityAnswer(asked, ({ open }) => ({
      ...(open === undefined ? NOBODY_KNOWN : whoCells(open.actor)),
      method: open?.actor.authentication?.method ?? null,
      key: open?.actor.authentication?.key ?? null,
    })),
};

export const mfaQuestion: Question = {
  name: 'mfa',
  asks: 'Was access authenticated with more than one factor?',
  columns: [
    { name: 'human', says: 'the human behind it' },
    { name: 'principal', says: 'who logged in' },
    { name: 'kind', says: 'human or agent' },
    { name: 'method', says: 'how it was authenticated: what the gateway itself checked' },
    { name: 'key', says: 'fingerprint of the key' },
    { name: 'second_factor', says: '"not recorded": nothing is said either way' },
    ...counted,
  ],
  filters,
  limits: [
    'Whether there was a second factor is not recorded yet: the gateway checks possession of a private key and knows nothing of a passphrase, a hardware token or a log-in before it',
  ],
  missing: ['credential.issued'],
  order,
  followsSessions: true,
  context: [],
  answer: (asked) =>
    new IdentityAnswer(asked, ({ open }) => ({
      ...(open === undefined ? NOBODY_KNOWN : whoCells(open.actor)),
      method: open?.actor.authentication?.method ?? null,
      key: open?.actor.authentication?.key ?? null,
      second_factor: 'not recorded',
    })),
};

class IdentityAnswer implements Answering {
  unmatchedErased = 0;
  readonly #asked: Asked;
  readonly #cells: (followed: Followed) => Row;
  readonly #sessions: FollowedSessions;
  readonly #groups = new Groups(['sessions']);

  constructor(asked: Asked, cells: (followed: Followed) => Row) {
    this.#asked = asked;
    this.#cells = cells;
    this.#sessions = new FollowedSessions(asked.period);
  }

  *take(seen: Seen): Generator<Row> {
    const step = this.#sessions.take(seen);
    if (step?.inPeriod === true) yield* this.#count(step.followed);
  }

  *finish(): Generator<Row> {
    for (const followed of this.#sessions.rest()) yield* this.#count(followed);
    yield* this.#groups.flush();
  }

  *#count(followed: Followed): Generator<Row> {
    const match = matches(filteredOf(followed), this.#asked.filters);
    if (match === 'unknown') this.unmatchedErased += 1;
    if (match === 'yes') yield* this.#groups.add(this.#cells(followed), 'sessions', followed.started);
  }
}
