import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TextLines } from '../../gateway/query/text-lines.ts';

function linesOf(...pieces: string[]): string[] {
  const lines: string[] = [];
  const text = new TextLines((line) => lines.push(line));
  for (const piece of pieces) text.push(piece);
  text.end();
  return lines;
}

describe('terminal output as lines of text', () => {
  it.each([
    ['plain lines', 'one\ntwo\r\nthree', ['one', 'two', 'three']],
    ['empty lines', 'a\n\nb\n', ['a', '', 'b']],
    ['colours and titles', '\x1b]0;title\x07\x1b[1;32mok\x1b[0m\n', ['ok']],
    ['a progress bar in its last state', '10%\r 50%\r100%\n', ['100%']],
    ['a shorter text over a longer one with the rest erased', 'downloading\rdone\x1b[K\n', ['done']],
    ['a shorter text over a longer one as a terminal shows it', 'abcdef\rXY\n', ['XYcdef']],
    ['backspaces of somebody who corrects a word', 'sl\b\bls\x1b[K\r\n', ['ls']],
    ['characters inserted and deleted in a line', 'abc\x1b[2D\x1b[1@X\x1b[2P\n', ['aX']],
    ['a character erased', 'abc\x1b[2D\x1b[X\n', ['a c']],
    ['columns', 'a\x1b[5Gb\x1b[2Cc\n', ['a   b  c']],
    ['a line erased to its beginning', 'secret\x1b[1K!\n', ['      !']],
    ['wide characters that are written over', '日本\rab\n', ['ab本']],
    ['combining marks after a return', 'x\re\u0301\n', ['e\u0301']],
    ['tabs', 'a\tb\n', ['a\tb']],
    ['what a full-screen program draws', '\x1b[?1049h\x1b[H\x1b[2Jtop\x1b[24;1Hbottom\x1b[?1049l', ['top', 'bottom']],
    ['a cleared screen whose text was there to be read', 'before\x1b[2J\x1b[Hafter', ['before', 'after']],
    ['nothing of a device control string', 'a\x1bP1$r0m\x1b\\b\n', ['ab']],
    ['8-bit controls', 'a\u009b31mb\u009dtitle\u009cc\n', ['abc']],
    [
      'borders that are drawn in the line drawing set',
      'x\x1b(0lqqk\x1b(B x\n\x1b)0a\x0ex \rx\x0fx\n\x1b(0q\x1bcq\n',
      ['x┌──┐ x', '│x', '─', 'q'],
    ],
    [
      'one of the empty rows of a full-screen program, and all of them elsewhere',
      'a\n\n\nb\n\x1b[?1049hc\r\n\x1b[K\r\n│\x1b[K\r\n \r\nd\n\x1b[?1049l\n\n',
      ['a', '', '', 'b', 'c', '', 'd', '', ''],
    ],
    ['trailing spaces left away', 'x   \n', ['x']],
  ])('gives %s', (_, output, lines) => {
    expect(linesOf(output)).toEqual(lines);
    expect(linesOf(...output)).toEqual(lines);
  });

  it('gives out a line without an end in pieces, and loses none of it', () => {
    const lines = linesOf('😀'.repeat(50_000));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(16_384);
    expect(lines.join('')).toBe('😀'.repeat(50_000));
    expect(linesOf(`\r${'x'.repeat(50_000)}`).join('')).toBe('x'.repeat(50_000));
  });

  it('needs bounded memory for a cursor that is sent far away', () => {
    expect(linesOf('\x1b[999999999Cx\x1b[999999999@y\n').every((line) => line.length < 40_000)).toBe(true);
  });

  it('never gives out a control character but the tab', () => {
    const anything = fc.array(
      fc.oneof(
        fc.constantFrom('\x1b', '\x1b[', '\x1b]', '\x1bP', '\u009b', '\x07', '\x1b\\', '\r', '\b', '\n', '6n', '5;1H', '2K', '3P', '日'),
        fc.string({ unit: 'binary' }),
      ),
      { maxLength: 50 },
    );
    fc.assert(
      fc.property(anything, (pieces) => {
        for (const line of linesOf(...pieces)) expect(line).not.toMatch(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/);
      }),
      { numRuns: 500 },
    );
  });
});
