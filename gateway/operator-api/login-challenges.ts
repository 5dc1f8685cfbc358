import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { canonicalText } from '../../contract/canonical.ts';
import { type LoginChallenge, loginChallengeSchema } from '../../contract/login-challenge.ts';
import { type Clock, isoMicros } from '../base/clock.ts';
import { UsedOnce } from '../base/used-once.ts';

const VALID_MICROS = 120 * 1_000_000;

export interface ChallengeParts {
  readonly clock: Clock;
  /** Of the ledger. */
  readonly origin: string;
  /** SHA-256 of the certificate that clients see at the moment. */
  readonly certificate: () => string;
}

/** More than anybody logs in within the life of a challenge. */
const MOST_USED = 16_384;

/**
 * Challenges for logging in. Nothing is kept of one that was only asked for: a key of this process makes it known again.
 * What is kept are the nonces of those that somebody has logged in with, until they expire.
 */
export class LoginChallenges {
  readonly #key = randomBytes(32);
  readonly #used = new UsedOnce(MOST_USED);
  readonly #parts: ChallengeParts;

  constructor(parts: ChallengeParts) {
    this.#parts = parts;
  }

  /** For any name: that of nobody too, so that nobody learns who there is. */
  make(operator: string): { challenge: string; expires: string } {
    const { clock, origin, certificate } = this.#parts;
    const expires = isoMicros(clock.wallMicros() + VALID_MICROS);
    const unsigned = {
      type: 'sallyport log-in' as const,
      version: 1 as const,
      origin,
      certificate: certificate(),
      operator,
      nonce: randomBytes(16).toString('hex'),
      expires,
    };
    return { challenge: canonicalText({ ...unsigned, mac: this.#mac(unsigned).toString('hex') }), expires };
  }

  /** Whom a challenge of this process is for; undefined for any other text, and for one that has expired or was used. */
  open(text: string): { readonly operator: string; use(): boolean } | undefined {
    const challenge = parse(text);
    if (challenge === undefined) return undefined;
    const { mac, ...unsigned } = challenge;
    if (!timingSafeEqual(this.#mac(unsigned), Buffer.from(mac, 'hex')) || canonicalText(challenge) !== text) return undefined;
    const now = this.#parts.clock.wallMicros();
    const expires = Date.parse(challenge.expires) * 1000;
    if (expires <= now || this.#used.has(challenge.nonce)) return undefined;
    return { operator: challenge.operator, use: () => this.#used.take(challenge.nonce, expires + 1_000_000, now) === 'taken' };
  }

  #mac(unsigned: Omit<LoginChallenge, 'mac'>): Buffer {
    return createHmac('sha256', this.#key).update(canonicalText(unsigned)).digest();
  }
}

function parse(text: string): LoginChallenge | undefined {
  try {
    const checked = loginChallengeSchema.safeParse(JSON.parse(text));
    // Text with half of a surrogate pair has no canonical form.
    return checked.success && text.isWellFormed() ? checked.data : undefined;
  } catch {
    return undefined; // Not JSON, and so not ours.
  }
}
