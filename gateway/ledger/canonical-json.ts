import canonicalize from 'canonicalize';

/** The RFC 8785 form of a JSON value, in UTF-8. Text is made well-formed first where it is not. */
export function canonicalBytes(value: unknown): Buffer {
  const text = canonicalize(wellFormed(value));
  if (text === undefined) throw new TypeError('not a JSON value');
  return Buffer.from(text, 'utf8');
}

/**
 * The same value, with U+FFFD in the place of every half of a surrogate pair, which RFC 8785 cannot express: a fact is
 * written down with one character changed rather than not at all. Nothing is copied when nothing has to be changed.
 */
export function wellFormed<Value>(value: Value): Value {
  return isWellFormed(value) ? value : (madeWellFormed(value) as Value);
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  for (const key in value) {
    if (!key.isWellFormed() || !isWellFormed((value as Record<string, unknown>)[key])) return false;
  }
  return true;
}

function madeWellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map(madeWellFormed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key.toWellFormed(), madeWellFormed(member)]));
}
