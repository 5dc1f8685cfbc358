import type { OperatorKey } from './operators.ts';

/** Of one operator: a few devices. */
export const MOST_KEYS = 16;

export interface RegisteredKey extends OperatorKey {
  readonly operator: string;
  readonly label: string;
  readonly registered: { readonly since: string };
}

/** A key as it stands in records. */
export interface KeptKey {
  readonly operator: string;
  /** As a line. */
  readonly key: string;
  readonly fingerprint: string;
  readonly label: string;
  readonly since: string;
}

/** The keys that operators registered themselves, by the records. Each belongs to one operator. */
export class RegisteredKeys {
  readonly #byFingerprint = new Map<string, RegisteredKey>();
  readonly #byOperator = new Map<string, readonly RegisteredKey[]>();

  constructor(kept: Iterable<KeptKey>) {
    for (const each of kept) this.put(each);
  }

  of(operator: string): readonly RegisteredKey[] {
    return this.#byOperator.get(operator) ?? [];
  }

  find(fingerprint: string): RegisteredKey | undefined {
    return this.#byFingerprint.get(fingerprint);
  }

  operators(): string[] {
    return [...this.#byOperator.keys()];
  }

  put({ operator, key, fingerprint, label, since }: KeptKey): void {
    const blob = Buffer.from(key.split(' ')[1] ?? '', 'base64');
    const made: RegisteredKey = { operator, blob, fingerprint, line: key, label, registered: { since } };
    this.#byFingerprint.set(fingerprint, made);
    this.#byOperator.set(operator, [...this.of(operator), made]);
  }

  remove(fingerprint: string): void {
    const known = this.#byFingerprint.get(fingerprint);
    if (known === undefined) return;
    this.#byFingerprint.delete(fingerprint);
    const left = this.of(known.operator).filter((each) => each.fingerprint !== fingerprint);
    if (left.length === 0) this.#byOperator.delete(known.operator);
    else this.#byOperator.set(known.operator, left);
  }
}
