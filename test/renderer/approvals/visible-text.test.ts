import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { oddities, visibleLine, visiblePieces } from '../../../renderer/app/approvals/visible-text.ts';

const shown = (text: string) =>
  visiblePieces(text)
    .map((piece) => piece.text)
    .join('');

describe('nothing hides in a text that somebody decides about', () => {
  const attacks: [what: string, text: string, seen: string][] = [
    ['an override of direction', 'rm \u202egpj.txt', 'rm \\u{202e}gpj.txt'],
    ['an isolate', 'a\u2067b\u2069', 'a\\u{2067}b\\u{2069}'],
    ['a space without width', 'r\u200bm -rf', 'r\\u{200b}m -rf'],
    ['joiners', 'r\u200cm\u200d', 'r\\u{200c}m\\u{200d}'],
    ['a soft hyphen', 'cu\u00adrl', 'cu\\u{ad}rl'],
    ['an escape sequence that erases the line', 'ls\x1b[2K', 'ls\\u{1b}[2K'],
    ['a carriage return that overwrites', 'rm -rf /\rls', 'rm -rf /\\rls'],
    ['a backspace', 'rm\b\bls', 'rm\\u{08}\\u{08}ls'],
    ['a null', 'a\0b', 'a\\u{00}b'],
    ['C1 controls', 'a\x9bK', 'a\\u{9b}K'],
    ['a space that is none for a shell', 'rm -rf /tmp\u00a0/', 'rm -rf /tmp\\u{a0}/'],
    ['a wide space', 'a\u3000b', 'a\\u{3000}b'],
    ['a line separator', 'a\u2028b', 'a\\u{2028}b'],
    ['tag characters', 'a\u{e0041}', 'a\\u{e0041}'],
    ['a variation selector', 'a\ufe0f', 'a\\u{fe0f}'],
    ['a Hangul filler', 'a\u3164b', 'a\\u{3164}b'],
    ['a blank of Braille', 'a\u2800b', 'a\\u{2800}b'],
    ['a character of private use', 'a\ue000', 'a\\u{e000}'],
    ['half a surrogate pair', 'a\ud800b', 'a\\u{d800}b'],
    ['a stroke through a sign', '/\u0338', '/\\u{338}'],
    ['accents that reach into other lines', `e${'\u0301'.repeat(5)}`, `e\u0301\u0301${'\\u{301}'.repeat(3)}`],
    ['a tab', 'a\tb', 'a\\tb'],
    ['a line feed, which ends a command', 'ls\nrm', 'ls\\n\nrm'],
  ];
  test.each(attacks)('%s', (_, text, seen) => {
    expect(shown(text)).toBe(seen);
  });

  test('letters that look like others are marked, and stay readable', () => {
    // The first letter is Cyrillic.
    expect(visiblePieces('\u0455udo ls')).toEqual([
      { kind: 'unusual', text: '\u0455' },
      { kind: 'plain', text: 'udo ls' },
    ]);
    expect(visiblePieces('caf\u00e9').map(({ kind }) => kind)).toEqual(['plain', 'unusual']);
  });

  test('whatever the text, all that is shown has a shape, and the shown text says which text it is', () => {
    const anything = fc.string({ unit: fc.nat(0x10ffff).map((code) => String.fromCodePoint(code)) });
    fc.assert(
      fc.property(anything, (text) => {
        const seen = visiblePieces(text);
        const whole = seen.map((piece) => piece.text).join('');
        const plain = seen.filter(({ kind }) => kind === 'plain').map((piece) => piece.text);
        return !/(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u.test(whole) && plain.every((piece) => /^[ -~]*$/.test(piece));
      }),
    );
  });

  test('in one line there is no line feed', () => {
    expect(visibleLine('a\nb')).toBe('a\\nb');
  });
});

describe('what a reviewer is told about a text', () => {
  test('nothing, of an ordinary one', () => {
    expect(oddities('systemctl restart shop && tail -n 20 /var/log/shop.log\n')).toEqual([]);
  });

  test.each([
    ['rm \u202e\u202e', '2 hidden characters, shown by their numbers'],
    ['\u0455udo', '1 character is not ASCII and may look like others'],
    [`ls${' '.repeat(200)}; rm -rf /`, 'long runs of spaces: something may stand far behind them'],
    [`ls${'\n'.repeat(60)}rm -rf /`, 'many empty lines: something may stand below them'],
    ['rm -rf /tmp/x ', 'it ends with a space'],
  ])('%j', (text, told) => {
    expect(oddities(text)).toContain(told);
  });
});
