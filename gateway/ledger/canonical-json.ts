import canonicalize from 'canonicalize';
import { plainJson } from './plain-json.ts';

/** The RFC 8785 form of a JSON value, in UTF-8. */
export function canonicalBytes(value: unknown): Buffer {
  return canonicalForm(value).bytes;
}

/**
 * The same with the value that the bytes say: text with half of a surrogate pair, which RFC 8785 cannot express, has
 * U+FFFD in its place. A fact is written down with one character changed rather than not at all.
 */
export function canonicalForm<Value>(value: Value): { value: Value; bytes: Buffer } {
  try {
    return { value, bytes: bytesOf(value) };
  } catch {
    // Whatever else it is that cannot be expressed is thrown again here.
    const changed = wellFormed(value) as Value;
    return { value: changed, bytes: bytesOf(changed) };
  }
}

function bytesOf(value: unknown): Buffer {
  const text = plainJson(value) ?? canonicalize(value);
  if (text === undefined) throw new TypeError('not a JSON value');
  return Buffer.from(text, 'utf8');
}

function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key.toWellFormed(), wellFormed(member)]));
}
