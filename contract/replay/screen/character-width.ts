/**
 * How many columns a character takes, as today's terminals and C libraries count. xterm.js by itself counts as in 2010,
 * when emoji were narrow: a line with one would be drawn a column short of where the program thought it was.
 */
export const currentWidths = {
  version: 'current',
  wcwidth: characterWidth,
  charProperties: (codepoint: number, preceding: number): number => {
    const width = characterWidth(codepoint);
    // The bits are those of xterm.js: a width of two bits above the flag that joins a character to the one before it.
    const before = (preceding >> 1) & 3;
    const joins = width === 0 && preceding !== 0 && before !== 0;
    return ((joins ? before : width) << 1) | (joins ? 1 : 0);
  },
};

const ZERO = /[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]/u;
const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]/u;

/** Widths that were looked up, above by one; 0 where none was. */
const known = new Uint8Array(0x20000);

export function characterWidth(codepoint: number): 0 | 1 | 2 {
  if (codepoint < 0x20 || (codepoint >= 0x7f && codepoint < 0xa0)) return 0;
  if (codepoint < 0x300) return 1;
  const found = known[codepoint] ?? 0;
  if (found > 0) return (found - 1) as 0 | 1 | 2;
  const character = String.fromCodePoint(codepoint);
  const width = ZERO.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  if (codepoint < known.length) known[codepoint] = width + 1;
  return width;
}
