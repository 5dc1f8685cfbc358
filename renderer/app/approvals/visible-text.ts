/**
 * Text that somebody decides about, without anything in it that could hide: what has no shape, acts on its surroundings, or
 * looks like a space and is none, is shown by its number. `unusual` is what has a shape and may be taken for something else.
 */
export interface VisiblePiece {
  readonly kind: 'plain' | 'hidden' | 'unusual';
  /** What is shown: of `hidden`, `\u{202e}`; of a line feed also the line feed itself. */
  readonly text: string;
}

const names: Readonly<Record<string, string>> = { '\t': '\\t', '\r': '\\r', '\n': '\\n' };

/** Controls, formats, surrogates, private and unassigned ones, and every space but the ordinary one. */
const WITHOUT_SHAPE = /[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/u;
const MARK = /\p{M}/u;
const LETTER = /[\p{L}\p{N}]/u;
/** Accents that one letter may carry. More of them reach into the lines around it. */
const MOST_MARKS = 2;

export function visiblePieces(text: string): VisiblePiece[] {
  const pieces: { kind: VisiblePiece['kind']; text: string }[] = [];
  let marks = 0;
  let onLetter = false;
  for (const character of text) {
    const isMark = MARK.test(character);
    marks = isMark ? marks + 1 : 0;
    const kind = kindOf(character, isMark && (!onLetter || marks > MOST_MARKS));
    if (!isMark) onLetter = LETTER.test(character);
    const shown = kind === 'hidden' ? escaped(character) : character;
    const last = pieces.at(-1);
    // Each hidden one is a piece of its own: they are told apart and counted.
    if (last !== undefined && last.kind === kind && kind !== 'hidden') last.text += shown;
    else pieces.push({ kind, text: shown });
  }
  return pieces;
}

function kindOf(character: string, looseMark: boolean): VisiblePiece['kind'] {
  if (character === ' ') return 'plain';
  if (looseMark || WITHOUT_SHAPE.test(character)) return 'hidden';
  return character > '~' ? 'unusual' : 'plain';
}

function escaped(character: string): string {
  const name = names[character] ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}}`;
  return character === '\n' ? `${name}\n` : name;
}

/** In one line, for places where a line is all there is. */
export function visibleLine(text: string): string {
  return visiblePieces(text)
    .map((piece) => piece.text.replace('\n', ''))
    .join('');
}

const LONG_SPACE = / {24,}/;
const MANY_LINES = /\n(?:[ \t\r]*\n){4,}/;

/** What a reviewer should know of a text before they believe their eyes. */
export function oddities(text: string): string[] {
  const pieces = visiblePieces(text);
  const hidden = pieces.filter(({ kind, text: shown }) => kind === 'hidden' && !shown.startsWith('\\n') && shown !== '\\t').length;
  const unusual = pieces.filter(({ kind }) => kind === 'unusual').reduce((sum, piece) => sum + Array.from(piece.text).length, 0);
  const told: string[] = [];
  if (hidden > 0)
    told.push(hidden === 1 ? '1 hidden character, shown by its number' : `${hidden} hidden characters, shown by their numbers`);
  if (unusual > 0) told.push(`${unusual === 1 ? '1 character is' : `${unusual} characters are`} not ASCII and may look like others`);
  if (LONG_SPACE.test(text)) told.push('long runs of spaces: something may stand far behind them');
  if (MANY_LINES.test(text)) told.push('many empty lines: something may stand below them');
  if (text.endsWith(' ')) told.push('it ends with a space');
  return told;
}
