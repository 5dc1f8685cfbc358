import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { NewLogin } from './log-ins.ts';

/** How a code begins, so that one that got lost in a file or a log is recognised. */
const CODE_PREFIX = 'spc_';
const CODE_BYTES = 16;
/** 128 bits in base64url. */
const CODE_PATTERN = /^spc_[A-Za-z0-9_-]{22}$/;

/** Codes of one operator that wait to be used, and of all together; one more ends the oldest. */
const PER_OPERATOR = 8;
const TOGETHER = 512;

interface KeptCode {
  readonly hash: Uint8Array;
  readonly login: NewLogin;
  /** Microseconds since 1970 (UTC). */
  readonly expires: number;
}

/** A code, the one time that it is known. */
export interface MadeCode {
  readonly code: string;
  readonly expires: number;
  /** From here on it counts: when the record of it is durable. */
  put(): void;
}

/** Codes that log somebody in once. Kept as hashes, in memory: they live for minutes and end with the process. */
export class LoginCodes {
  /** By the SHA-256 of the code in hexadecimal; the oldest first. */
  readonly #byHash = new Map<string, KeptCode>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  make(login: NewLogin, validMicros: number): MadeCode {
    const code = `${CODE_PREFIX}${randomBytes(CODE_BYTES).toString('base64url')}`;
    const hash = hashOf(code);
    const expires = this.#clock.wallMicros() + validMicros;
    return {
      code,
      expires,
      put: () => {
        this.#makeRoom(login.operator);
        this.#byHash.set(hash.toString('hex'), { hash, login, expires });
      },
    };
  }

  /** The log-in that a code stands for, without using it up; undefined for one that is unknown, used or expired. */
  find(code: string): { readonly login: NewLogin /** False when somebody else was quicker. */; take(): boolean } | undefined {
    if (!CODE_PATTERN.test(code)) return undefined;
    const hash = hashOf(code);
    const key = hash.toString('hex');
    const kept = this.#byHash.get(key);
    // The map compares digests, of which nobody can choose a part; this one takes equally long for all.
    if (kept === undefined || !timingSafeEqual(kept.hash, hash)) return undefined;
    if (kept.expires <= this.#clock.wallMicros()) {
      this.#byHash.delete(key);
      return undefined;
    }
    return { login: kept.login, take: () => this.#byHash.delete(key) };
  }

  #makeRoom(operator: string): void {
    const now = this.#clock.wallMicros();
    for (const [key, { expires }] of this.#byHash) if (expires <= now) this.#byHash.delete(key);
    const own = [...this.#byHash].filter(([, { login }]) => login.operator === operator);
    if (own.length >= PER_OPERATOR) this.#byHash.delete(own[0]?.[0] ?? '');
    for (const oldest of this.#byHash.keys()) {
      if (this.#byHash.size < TOGETHER) break;
      this.#byHash.delete(oldest);
    }
  }
}

function hashOf(code: string): Buffer {
  return createHash('sha256').update(code).digest();
}
