import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalBytes } from '../../gateway/ledger/canonical-json.ts';
import { plainJson } from '../../gateway/ledger/plain-json.ts';

/** Keys and text that are escaped, sorted or read in unusual ways. */
const odd = fc.constantFrom(
  '',
  '__proto__',
  'toJSON',
  'constructor',
  '10',
  '9',
  '1',
  'a"b',
  'a\\b',
  '\u0000',
  '\u001f',
  '\u007f',
  '\u2028',
  'é',
  '€',
  '😀',
  '\ufb33',
  '\r',
  '1e2',
);
const text = fc.oneof(odd, fc.string(), fc.string({ unit: 'binary' }));
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6 },
    text,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.constantFrom(null, true, false, -0, 1e21, 1e-7, 5e-324, 2 ** 53, Number('333333333.33333329'), 4.5, 2e-3),
    fc.array(tie('value'), { maxLength: 6 }),
    fc.dictionary(text, tie('value'), { maxKeys: 40 }),
  ),
})).value;

describe('canonical JSON', () => {
  it('is what RFC 8785 shows', () => {
    // Section 3.2.3 and appendix B.
    const example = {
      '€': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      1: 'One',
      '😀': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      ö: 'Latin Small Letter O With Diaeresis',
    };
    expect(canonicalBytes(example).toString()).toBe(
      '{"\\r":"Carriage Return","1":"One","\u0080":"Control","ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign","😀":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
    );
    expect(plainJson([Number('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001])).toBe(
      '[333333333.3333333,1e+30,4.5,0.002,1e-27]',
    );
    expect(plainJson('\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/')).toBe('"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"');
  });

  it('is that of the package for any JSON value', () => {
    fc.assert(
      fc.property(json, (value) => {
        const fast = plainJson(value);
        if (fast !== undefined) expect(fast).toBe(canonicalize(value));
        expect(canonicalBytes(value).toString()).toBe(canonicalize(value));
      }),
      { numRuns: 2000 },
    );
  });

  it('is left to the package for what is not plain', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    const withToJson = Object.assign(Object.create(null) as object, { toJSON: () => 1 });
    for (const value of [
      { 1: 'x' },
      JSON.parse('{"__proto__":1}'),
      '\\ud800 that was typed',
      new Date(0),
      Object(1),
      Object('x'),
      new Map(),
      cycle,
      withToJson,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      undefined,
      () => 1,
      Symbol('x'),
      1n,
      '\ud800',
      { '\udc00': 1 },
      [undefined],
    ])
      expect(plainJson(value)).toBeUndefined();
    expect(() => canonicalBytes(cycle)).toThrow();
    expect(() => canonicalBytes({ a: Number.NaN })).toThrow();
    expect(canonicalBytes({ a: undefined, b: [undefined], c: new Date(0) }).toString()).toBe('{"b":[null],"c":"1970-01-01T00:00:00.000Z"}');
    expect(canonicalBytes({ 'a\ud800': '\udc00b' }).toString()).toBe('{"a\ufffd":"\ufffdb"}');
  });
});
