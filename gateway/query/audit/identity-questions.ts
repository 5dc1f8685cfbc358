import type { Actor } from '../../../contract/record.ts';
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
    { name: 'provider', says: 'the identity provider that authenticated them; empty where the gateway did by itself' },
    { name: 'amr', says: 'how the provider says that it did (RFC 8176)' },
    { name: 'acr', says: 'the level that the provider says it reached', wide: true },
    { name: 'second_factor', says: 'what the provider states; "not recorded": nothing is said either way' },
    ...counted,
  ],
  filters,
  limits: [
    'With a key alone, whether there was a second factor is not recorded: the gateway checks possession of a private key and knows nothing of a passphrase or a hardware token',
    'What an identity provider says of itself is recorded as it says it. Of a certificate that the gateway issued before the period, what was shown for it is not in this answer',
  ],
  missing: [],
  order,
  followsSessions: true,
  context: [],
  answer: (asked) => {
    const proofs = new CertificateProofs();
    const answer = new IdentityAnswer(asked, ({ open }) => {
      const authentication = open?.actor.authentication;
      const provider = authentication?.provider ?? proofs.of(authentication?.certificate?.serial);
      return {
        ...(open === undefined ? NOBODY_KNOWN : whoCells(open.actor)),
        method: authentication?.method ?? null,
        key: authentication?.key ?? null,
        provider: provider?.issuer ?? null,
        amr: provider?.amr ?? null,
        acr: provider?.acr ?? null,
        second_factor: secondFactor(provider?.amr),
      };
    });
    return {
      take(seen) {
        proofs.take(seen);
        return answer.take(seen);
      },
      finish: () => answer.finish(),
      get unmatchedErased() {
        return answer.unmatchedErased;
      },
    };
  },
};

type Provider = NonNullable<NonNullable<Actor['authentication']>['provider']>;

/** Certificates live for minutes: what was shown for more than so many is not asked for any more. */
const MOST_CERTIFICATES = 50_000;

/** What was shown for the certificates that the gateway issued, so that a session by one has its log-in. */
class CertificateProofs {
  readonly #providers = new Map<string, Provider>();

  take({ record }: Seen): void {
    if (record?.type !== 'credential.issued' || record.body.credential !== 'ssh-certificate') return;
    const provider = record.actor.authentication?.provider;
    if (provider === undefined) return;
    this.#providers.set(record.body.id, provider);
    if (this.#providers.size <= MOST_CERTIFICATES) return;
    for (const oldest of this.#providers.keys()) {
      this.#providers.delete(oldest);
      return;
    }
  }

  of(serial: string | undefined): Provider | undefined {
    return serial === undefined ? undefined : this.#providers.get(serial);
  }
}

/** `mfa` is the value of RFC 8176 for more than one factor; other values name the factors, and how many they are is not said. */
function secondFactor(amr: readonly string[] | undefined): string {
  if (amr === undefined) return 'not recorded';
  return amr.includes('mfa') ? 'stated by the provider' : 'not stated by the provider';
}

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
