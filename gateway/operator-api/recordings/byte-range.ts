/** Which bytes of a representation are answered: all, those from `from` to before `to`, or none, because there are none of these. */
export type AskedBytes = 'whole' | 'unsatisfiable' | { readonly from: number; readonly to: number };

/** Of a GET; `etag` is the strong validator of what would be answered, `length` its bytes. */
export interface RangeQuestion {
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly etag: string;
  readonly length: number;
}

/**
 * RFC 9110, section 14.2. What is no range, of another unit, or more than one range, is answered whole, which is always
 * allowed; so is a range of something that has another validator by now (section 13.1.5).
 */
export function askedBytes({ range, ifRange, etag, length }: RangeQuestion): AskedBytes {
  if (range === undefined || (ifRange !== undefined && ifRange.trim() !== etag)) return 'whole';
  const [, set] = /^bytes=(.*)$/is.exec(range) ?? [];
  if (set === undefined || range.length > 1024) return 'whole';
  // Empty elements of a list are passed over (section 5.6.1.2).
  const specs = set
    .split(',')
    .map((each) => each.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((each) => each !== '');
  const asked = specs.map((spec) => readSpec(spec, length));
  const [only] = asked;
  if (only === undefined || asked.includes('invalid')) return 'whole';
  if (asked.every((each) => each === 'unsatisfiable')) return 'unsatisfiable';
  return asked.length === 1 && only !== 'invalid' ? only : 'whole';
}

type Spec = 'invalid' | 'unsatisfiable' | { readonly from: number; readonly to: number };

function readSpec(spec: string, length: number): Spec {
  const [, first, last] = /^(\d*)-(\d*)$/.exec(spec) ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return 'invalid';
  // As numbers these may lose digits, but none that a length has.
  if (first === '') return Number(last) === 0 || length === 0 ? 'unsatisfiable' : { from: Math.max(0, length - Number(last)), to: length };
  if (last !== '' && Number(last) < Number(first)) return 'invalid';
  if (Number(first) >= length) return 'unsatisfiable';
  return { from: Number(first), to: last === '' ? length : Math.min(length, Number(last) + 1) };
}

/** If-None-Match compares weakly (RFC 9110, section 13.1.2), If-Match strongly (section 13.1.1). */
export function isNamedIn(header: string | undefined, etag: string, comparison: 'weak' | 'strong'): boolean {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  return header
    .split(',')
    .map((each) => each.trim())
    .some((each) => each === etag || (comparison === 'weak' && each === `W/${etag}`));
}
