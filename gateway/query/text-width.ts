import { characterWidth as widthOf } from '../../contract/replay/screen/character-width.ts';

/** Columns that a text takes in a terminal: East Asian wide characters and emoji take two, combining marks none. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** At most `width` columns, with an ellipsis where something is left out. */
export function cut(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let kept = '';
  let taken = 1; // the ellipsis
  for (const character of text) {
    taken += characterWidth(character);
    if (taken > width) break;
    kept += character;
  }
  return `${kept}…`;
}

export function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - textWidth(text)));
}

/** As everywhere a screen is shown: what is lined up with it has to be counted like it. */
export function characterWidth(character: string): 0 | 1 | 2 {
  const codepoint = character.codePointAt(0) ?? 0;
  return codepoint < 0x300 ? 1 : widthOf(codepoint);
}
