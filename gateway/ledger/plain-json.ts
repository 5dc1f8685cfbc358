/**
 * The RFC 8785 form of plain data: null, booleans, finite numbers, well-formed text, and arrays and ordinary objects of
 * these. Undefined for everything else, which somebody slower has to look at. Records are canonicalised one by one on the
 * main thread, so this is on the path of everything that is recorded.
 *
 * `JSON.stringify` writes numbers and text as RFC 8785 asks for (sections 3.2.2.2 and 3.2.2.3 are its definition), and the
 * members of an object in the order in which they were set; so what it is given is a copy with the members in order.
 */
export function plainJson(value: unknown): string | undefined {
  const copy = ordered(value, 0);
  if (copy === NOT_PLAIN) return undefined;
  const text = JSON.stringify(copy);
  // Half of a surrogate pair is written as an escape, which nothing else is but a text that says so itself.
  return text.includes('\\ud') ? undefined : text;
}

const NOT_PLAIN = Symbol('not plain');

type Plain = null | boolean | number | string | Plain[] | { [key: string]: Plain };

/** Records are flat. What is nested deeper might be a cycle. */
const MAX_DEPTH = 32;

function ordered(value: unknown, depth: number): Plain | typeof NOT_PLAIN {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : NOT_PLAIN;
  if (typeof value !== 'object' || depth > MAX_DEPTH || 'toJSON' in value) return NOT_PLAIN;
  if (Array.isArray(value)) return orderedElements(value, depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  // Dates, boxed values and whatever else has a form of its own are not plain.
  if (prototype !== Object.prototype && prototype !== null) return NOT_PLAIN;
  return orderedMembers(value as Readonly<Record<string, unknown>>, depth);
}

function orderedElements(elements: readonly unknown[], depth: number): Plain[] | typeof NOT_PLAIN {
  const copy: Plain[] = [];
  // Not with an iterator: a hole in an array is not plain either, and is undefined here.
  for (let index = 0; index < elements.length; index += 1) {
    const element = ordered(elements[index], depth + 1);
    if (element === NOT_PLAIN) return NOT_PLAIN;
    copy.push(element);
  }
  return copy;
}

function orderedMembers(members: Readonly<Record<string, unknown>>, depth: number): { [key: string]: Plain } | typeof NOT_PLAIN {
  const copy: { [key: string]: Plain } = {};
  for (const key of sorted(Object.keys(members))) {
    if (hasItsOwnPlace(key)) return NOT_PLAIN;
    const value = members[key];
    if (value === undefined) continue;
    const member = ordered(value, depth + 1);
    if (member === NOT_PLAIN) return NOT_PLAIN;
    copy[key] = member;
  }
  return copy;
}

/** Keys that look like an index come first in every object, and `__proto__` is not set as others are. */
function hasItsOwnPlace(key: string): boolean {
  const first = key.charCodeAt(0);
  return (first >= 0x30 && first <= 0x39) || key === '__proto__';
}

/** By UTF-16 code units, in place. Most objects have a handful of members, and many have them in order already. */
function sorted(keys: string[]): string[] {
  if (keys.length > 32) return keys.sort();
  for (let index = 1; index < keys.length; index += 1) {
    const key = keys[index] as string;
    let place = index;
    for (; place > 0 && (keys[place - 1] as string) > key; place -= 1) keys[place] = keys[place - 1] as string;
    keys[place] = key;
  }
  return keys;
}
