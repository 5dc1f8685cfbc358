import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Role } from '../../contract/operator-api.ts';
import type { Actor } from '../../contract/record.ts';
import { type Clock, isoMicros } from '../base/clock.ts';
import type { LoggedIn } from './authorise.ts';
import { type Claimed, type Operators, operatorInForce } from './operators.ts';

/** How a token begins, so that one that got lost in a file or a log is recognised. */
export const TOKEN_PREFIX = 'sp_';
const TOKEN_BYTES = 32;
/** 256 bits in base64url. */
const TOKEN_PATTERN = /^sp_[A-Za-z0-9_-]{43}$/;

/** How long somebody stays logged in. */
const LOGIN_MICROS = 12 * 3600 * 1_000_000;
/** How long after they showed who they are somebody may register a key. */
const KEY_MICROS = 600 * 1_000_000;
/** Log-ins by a link of a log-in by a link and so on. */
const MOST_GENERATIONS = 8;
/** Log-ins of one operator, and of all together; one more ends the oldest. */
const PER_OPERATOR = 32;
const TOGETHER = 4096;

/** What is kept of a token: never itself. */
export interface KnownToken {
  readonly id: string;
  /** SHA-256 of the token. */
  readonly hash: Uint8Array;
  readonly operator: string;
  readonly kind: 'login' | 'program';
  /** What a program may have of its operator's roles; a log-in has all of them, also those that come later. */
  readonly roles?: readonly Role[];
  /** Groups that an identity provider gave; missing where none was asked. */
  readonly claimed?: Claimed;
  readonly authentication: NonNullable<Actor['authentication']>;
  /** Microseconds since 1970 (UTC). */
  readonly expires: number;
  /** When a person showed who they are; of a log-in by a link, when whoever made that did. Missing of programs. */
  readonly shown?: number;
  /** Of a log-in by a link: ids of the log-in that made it, and of those that this one goes back to. It ends with each. */
  readonly madeBy?: readonly string[];
}

export interface NewLogin extends Pick<KnownToken, 'operator' | 'claimed' | 'authentication' | 'shown' | 'madeBy'> {
  /** No later than this, where it is said. */
  readonly expires?: number;
}

/** What a log-in by a link takes over from the log-in that makes it: it neither lasts longer, nor shows anew who somebody is. */
export type Inherited = Pick<NewLogin, 'operator' | 'claimed' | 'authentication' | 'shown' | 'madeBy' | 'expires'>;

/** A token, the one time that it is known. */
export interface MadeToken {
  readonly token: string;
  readonly known: KnownToken;
}

/**
 * Who holds a good token. Log-ins are in memory and end with the process; tokens of programs are put in at the start.
 * What a token is good for is looked up in the configuration in force each time it is shown.
 */
export class LogIns {
  /** By the SHA-256 of the token in hexadecimal; the oldest first. */
  readonly #byHash = new Map<string, KnownToken>();
  readonly #byId = new Map<string, string>();
  readonly #operators: Operators;
  readonly #clock: Clock;

  constructor(operators: Operators, clock: Clock) {
    this.#operators = operators;
    this.#clock = clock;
  }

  /** Makes a log-in that counts once it is `put`: when the record of it is durable. */
  make(login: NewLogin): MadeToken {
    const now = this.#clock.wallMicros();
    const latest = now + LOGIN_MICROS;
    return makeToken({ ...login, kind: 'login', shown: login.shown ?? now, expires: Math.min(login.expires ?? latest, latest) });
  }

  /** Undefined for what is no log-in in force, and for one that goes back to too many others. */
  inherited(id: string): Inherited | undefined {
    const known = this.#known(id);
    if (known === undefined || known.kind !== 'login' || this.#inForce(known) === undefined) return undefined;
    const { operator, claimed, authentication, shown, expires, madeBy = [] } = known;
    if (madeBy.length >= MOST_GENERATIONS) return undefined;
    const provided = claimed === undefined ? {} : { claimed };
    return { operator, ...provided, authentication, expires, madeBy: [...madeBy, id], ...(shown === undefined ? {} : { shown }) };
  }

  put(known: KnownToken): void {
    if (known.kind === 'login') this.#makeRoom(known.operator);
    const key = Buffer.from(known.hash).toString('hex');
    this.#byHash.set(key, known);
    this.#byId.set(known.id, key);
  }

  /** Undefined for a token that is unknown, expired or revoked, and for one whose operator may nothing any more. */
  find(token: string): LoggedIn | undefined {
    if (!TOKEN_PATTERN.test(token)) return undefined;
    const hash = hashOf(token);
    const known = this.#byHash.get(hash.toString('hex'));
    // The map compares digests, of which nobody can choose a part; this one takes equally long for all.
    if (known === undefined || !timingSafeEqual(known.hash, hash)) return undefined;
    return this.#inForce(known);
  }

  /** The same of a log-in that was shown before. */
  stillGood(id: string): LoggedIn | undefined {
    const known = this.#known(id);
    return known === undefined ? undefined : this.#inForce(known);
  }

  /** Those in force, the oldest first. */
  all(): LoggedIn[] {
    return [...this.#byHash.values()].map((known) => this.#inForce(known)).filter((found) => found !== undefined);
  }

  /** Those in force of people who came through an identity provider; with a name, theirs. */
  provided(name?: string): LoggedIn[] {
    const of = [...this.#byHash.values()].filter(
      ({ kind, claimed, operator }) => kind === 'login' && claimed !== undefined && (name === undefined || operator === name),
    );
    return of.map((known) => this.#inForce(known)).filter((found) => found !== undefined);
  }

  /** Ids of what an operator holds that has not expired, whether it is in force or not. */
  held(by: { readonly operator?: string | undefined; readonly token?: string | undefined }): KnownToken[] {
    this.#forgetExpired();
    return [...this.#byHash.values()].filter(
      ({ id, operator }) => (by.token === undefined || id === by.token) && (by.operator === undefined || operator === by.operator),
    );
  }

  /** True when there was one. */
  end(id: string): boolean {
    const key = this.#byId.get(id);
    if (key === undefined) return false;
    this.#byId.delete(id);
    return this.#byHash.delete(key);
  }

  #known(id: string): KnownToken | undefined {
    const key = this.#byId.get(id);
    return key === undefined ? undefined : this.#byHash.get(key);
  }

  #inForce(known: KnownToken): LoggedIn | undefined {
    const now = this.#clock.wallMicros();
    if (known.expires <= now || known.madeBy?.some((id) => !this.#byId.has(id)) === true) {
      this.end(known.id);
      return undefined;
    }
    const found = operatorInForce(known.operator, this.#operators, known.claimed);
    if ('refused' in found) return undefined;
    const { operator } = found;
    const { method, key } = known.authentication;
    const own = operator.keys.find(({ fingerprint }) => fingerprint === key);
    // A key that was taken away may be in the wrong hands, and with it what it was used for.
    if ((method === 'publickey' || (method === 'link' && key !== undefined)) && own === undefined) return undefined;
    const roles = operator.roles.filter((role) => known.roles?.includes(role) ?? true);
    if (roles.length === 0 && known.claimed === undefined) return undefined;
    return {
      name: operator.name,
      roles,
      groups: operator.groups,
      keys: operator.keys,
      token: known.id,
      kind: known.kind,
      method,
      authentication: known.authentication,
      expires: isoMicros(known.expires),
      ...(own?.registered === undefined ? {} : { byRegisteredKey: true }),
      // By a key that was itself registered nobody registers another: who stole one would keep what they have.
      ...(known.shown === undefined || own?.registered !== undefined || now >= known.shown + KEY_MICROS
        ? {}
        : { mayAddKey: isoMicros(known.shown + KEY_MICROS) }),
    };
  }

  #makeRoom(operator: string): void {
    this.#forgetExpired();
    const logins = [...this.#byHash.values()].filter(({ kind }) => kind === 'login');
    const own = logins.filter((known) => known.operator === operator);
    const [oldestOwn] = own;
    if (oldestOwn !== undefined && own.length >= PER_OPERATOR) this.end(oldestOwn.id);
    const [oldest] = logins;
    if (oldest !== undefined && logins.length >= TOGETHER) this.end(oldest.id);
  }

  #forgetExpired(): void {
    const now = this.#clock.wallMicros();
    for (const { id, expires } of this.#byHash.values()) if (expires <= now) this.end(id);
  }
}

export function makeToken(of: Omit<KnownToken, 'id' | 'hash'>): MadeToken {
  const token = `${TOKEN_PREFIX}${randomBytes(TOKEN_BYTES).toString('base64url')}`;
  return { token, known: { ...of, id: randomBytes(8).toString('hex'), hash: hashOf(token) } };
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
