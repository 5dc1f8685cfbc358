import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldText } from '../../gateway/indexing/fold-text.ts';
import type { ScreenLine } from '../../gateway/indexing/screen-text.ts';
import { LONGEST_LINE, packLines, unpackBlock, unpackLines } from '../../gateway/indexing/text-block.ts';
import { tokensOf, tokenText, trigramToken, wordPairToken, wordToken } from '../../gateway/indexing/text-tokens.ts';

const line = fc
  .tuple(fc.nat(2 ** 40), fc.nat(2 ** 30), fc.string({ unit: 'grapheme', maxLength: 200 }))
  .map(([first, seen, text]): ScreenLine => ({ first, last: first + seen, text: text.replaceAll('\n', '') }));

describe('blocks of screen text', () => {
  it('give back the lines, in the order in which they were first seen', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 400 }), (lines) => {
        const blocks = packLines(lines);
        const sorted = lines.toSorted((one, other) => one.first - other.first);
        expect(blocks.flatMap(({ packed }) => unpackLines(packed))).toEqual(sorted);
        for (const block of blocks) {
          const held = unpackLines(block.packed);
          expect(block).toMatchObject({
            lines: held.length,
            first: held[0]?.first,
            last: Math.max(...held.map(({ last }) => last)),
          });
        }
      }),
      { numRuns: 50 },
    );
  });

  it('are of a size that is quick to look through, and a long line is more than one', () => {
    const lines = Array.from({ length: 3000 }, (_, index) => ({ first: index, last: index, text: `line ${index} ${'x'.repeat(50)}` }));
    const blocks = packLines(lines);
    expect(blocks.length).toBeGreaterThan(8);
    for (const { packed } of blocks) expect(unpackBlock(packed).text.length).toBeLessThanOrEqual(16_384 + 1);
    const long = `${'🚀'.repeat(LONGEST_LINE)}end`;
    const pieces = packLines([{ first: 1, last: 2, text: long }]).flatMap(({ packed }) => unpackLines(packed));
    expect(pieces.map(({ text }) => text).join('')).toBe(long);
    expect(pieces.every(({ text, first, last }) => text.isWellFormed() && text.length <= LONGEST_LINE && first === 1 && last === 2)).toBe(
      true,
    );
    expect(packLines([])).toEqual([]);
    // Many empty lines are many blocks, not one that takes a second.
    expect(
      packLines(Array.from({ length: 10_000 }, () => ({ first: 0, last: 0, text: '' }))).every(({ lines: count }) => count <= 4096),
    ).toBe(true);
  });

  it('take a line feed and what is no text for what they can hold, and never a time that runs backwards', () => {
    const [one] = packLines([{ first: 5, last: 3, text: 'a\nb\ud800' }]).flatMap(({ packed }) => unpackLines(packed));
    expect(one).toEqual({ first: 5, last: 5, text: 'a b\ufffd' });
  });

  it('are refused when a byte of them is another', () => {
    const [block] = packLines([
      { first: 0, last: 1, text: 'some words that are long enough to be packed, some words that are long enough' },
    ]);
    const packed = Buffer.from(block?.packed ?? []);
    for (let at = 0; at < packed.length; at += 1) {
      const damaged = Buffer.from(packed);
      damaged[at] = (damaged[at] ?? 0) ^ 0x41;
      let text: string | undefined;
      try {
        text = unpackBlock(damaged).text;
      } catch {
        continue;
      }
      expect(text, `byte ${at}`).toBe(block && unpackBlock(block.packed).text); // A bit of the header that says nothing.
    }
    expect(() => unpackBlock(Buffer.from('no block'))).toThrow();
  });
});

describe('tokens', () => {
  const tokens = (text: string) => tokensOf(foldText(text)).split(' ');

  it('are each word, each two words and each three characters in a row, once', () => {
    const found = tokens('Fail fail FAIL');
    expect(found).toEqual([...new Set(found)]);
    expect(found.toSorted()).toEqual(
      [wordToken('fail'), wordPairToken('fail', 'fail'), trigramToken(102, 97, 105), trigramToken(97, 105, 108)]
        .map((token) => tokenText(token ?? 0))
        .toSorted(),
    );
  });

  it('are four of the symbols of their alphabet, whatever the text is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(tokensOf(foldText(text))).toMatch(
          /^$|^[a-z0-9!#$%&()*+,\-./:;<=>?@[\]^_{|}~]{4}( [a-z0-9!#$%&()*+,\-./:;<=>?@[\]^_{|}~]{4})*$/,
        );
      }),
    );
  });

  it('are as many as there are, in a text of nothing but different ones', () => {
    const text = Array.from({ length: 20_000 }, (_, index) => String.fromCodePoint(0x4e00 + index)).join('');
    expect(new Set(tokens(text)).size).toBe(tokens(text).length);
    expect(tokens(text).length).toBeGreaterThan(55_000);
  });
});
