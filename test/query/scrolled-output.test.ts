import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ScrolledOutput } from '../../gateway/query/scrolled-output.ts';

const taken = (...pieces: string[]) => {
  const output = new ScrolledOutput();
  return pieces.map((piece) => output.take(piece)).join('');
};

describe('output that scrolls', () => {
  it.each([
    ['text, tabs and line ends', 'a\tb\r\nc\n', 'a\tb\r\nc\n'],
    ['colours', '\x1b[1;38;5;9mred\x1b[m', '\x1b[1;38;5;9mred\x1b[m'],
    ['a progress bar on its line', '10 %\r\x1b[K20 %\b\b', '10 %\r\x1b[K20 %\b\b'],
  ])('keeps %s', (_, given, expected) => expect(taken(given)).toBe(expected));

  it.each([
    ['positions', 'a\x1b[5;1H\x1b[Ab', 'ab'],
    ['erasing beyond the line', 'a\x1b[2J\x1b[3Jb', 'ab'],
    ['other screens and modes', '\x1b[?1049ha\x1b[?1000h\x1b[4hb', 'ab'],
    ['questions', 'a\x1b[6n\x05\x1b[cb', 'ab'],
    ['titles, links and the clipboard', 'a\x1b]0;t\x07\x1b]8;;https://example.com\x1b\\\x1b]52;c;aGk=\x07b', 'ab'],
    ['resets and character sets', 'a\x1bc\x1b(0\x0eb', 'ab'],
    ['what turns the order of characters around', 'a\u202eb\u2066', 'ab'],
    ['the same as 8-bit controls', 'a\x9b5;1Hb\x9d0;t\x9cc', 'abc'],
    ['colours with other parameters', 'a\x1b[?1mb\x1b[>4;2mc', 'abc'],
  ])('leaves out %s', (_, given, expected) => expect(taken(given)).toBe(expected));

  it('lets nothing through, however it is cut', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('\x1b', '[', ']', 'H', '31m', '\x1b]52;c;', '\x07', '\x9b', '\x1b[?1049h', '\x1bP', '\x1b\\', 'K'),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const left = taken(...pieces).replaceAll(/\x1b\[[0-9;:]*m|\x1b\[[012]?K/g, '');
        expect(left).not.toMatch(/[\x00-\x07\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e]/);
      }),
    );
  });
});
