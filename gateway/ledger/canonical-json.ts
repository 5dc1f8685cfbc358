import canonicalize from 'canonicalize';

/**
 * The RFC 8785 form of a JSON value, in UTF-8. Text with half a surrogate pair, which RFC 8785 cannot express, has that
 * half replaced by U+FFFD: a fact is written down with one character changed rather than not at all.
 */
export function canonicalBytes(value: unknown): Buffer {
  const text = canonicalText(value);
  return Buffer.from(text, 'utf8');
}

function canonicalText(value: unknown): string {
  const text = isWellFormed(value) ? canonicalize(value) : canonicalize(wellFormed(value));
  if (text === undefined) throw new TypeError('not a JSON value');
  return text;
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  for (const key in value) {
    if (!key.isWellFormed() || !isWellFormed((value as Record<string, unknown>)[key])) return false;
  }
  return true;
}

function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key.toWellFormed(), wellFormed(member)]));
}
