/**
 * The RFC 8785 form of plain data: null, booleans, finite numbers, well-formed text, and arrays and ordinary objects of
 * these. Undefined for everything else, which somebody slower has to look at. Records are canonicalised one by one on the
 * main thread, so this is on the path of everything that is recorded.
 */
export function plainJson(value: unknown, depth = 0): string | undefined {
  if (typeof value === 'string') return plainString(value);
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : undefined;
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (value === null) return 'null';
  if (typeof value !== 'object' || depth > MAX_DEPTH) return undefined;
  if (Array.isArray(value)) return plainArray(value, depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  // Dates, boxed values and whatever else has a form of its own are not plain.
  if ((prototype !== Object.prototype && prototype !== null) || 'toJSON' in value) return undefined;
  return plainObject(value as Readonly<Record<string, unknown>>, depth);
}

/** Records are flat. What is nested deeper might be a cycle. */
const MAX_DEPTH = 32;

function plainArray(elements: readonly unknown[], depth: number): string | undefined {
  if ('toJSON' in elements) return undefined;
  let text = '[';
  for (let index = 0; index < elements.length; index += 1) {
    const element = plainJson(elements[index], depth + 1);
    if (element === undefined) return undefined;
    text += index === 0 ? element : `,${element}`;
  }
  return `${text}]`;
}

function plainObject(members: Readonly<Record<string, unknown>>, depth: number): string | undefined {
  let text = '{';
  for (const key of sorted(Object.keys(members))) {
    const value = members[key];
    if (value === undefined) continue;
    const name = keyText(key);
    const member = plainJson(value, depth + 1);
    if (name === undefined || member === undefined) return undefined;
    text += text === '{' ? `${name}:${member}` : `,${name}:${member}`;
  }
  return `${text}}`;
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

/** What `JSON.stringify` would write as something else than itself, or RFC 8785 forbids (half of a surrogate pair). */
const UNUSUAL = /["\\\0-\x1f\ud800-\udfff]/;

function plainString(text: string): string | undefined {
  if (!UNUSUAL.test(text)) return `"${text}"`;
  return text.isWellFormed() ? JSON.stringify(text) : undefined;
}

/** Records have few keys of their own; those in free-form members come from outside and may be anything. */
const MAX_KEYS = 512;
const keys = new Map<string, string>();

function keyText(key: string): string | undefined {
  const known = keys.get(key);
  if (known !== undefined) return known;
  const text = plainString(key);
  if (text !== undefined && key.length < 64 && keys.size < MAX_KEYS) keys.set(key, text);
  return text;
}
