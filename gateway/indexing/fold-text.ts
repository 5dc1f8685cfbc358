// What nobody sees: it would keep a word from being found that stands there for everybody to read. Fillers of Hangul are blanks.
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}--[\u115f\u1160\u3164\uffa0]]/gv;

/**
 * Text in the form in which it is compared: composed (NFC), without the difference of upper and lower case, and
 * without what is invisible. Each
 * character has its own fold, whatever stands beside it, so the fold of a part is the part of the fold.
 */
export function foldText(text: string): string {
  return isAscii(text) ? text.toLowerCase() : foldComposed(text.normalize('NFC'));
}

/** As `foldText`, of text that is composed already, or of one character of it. */
export function foldComposed(text: string): string {
  // Upper case first: ß and ſ have no other way to SS and S. Σ has two small letters; which one depends on its neighbours.
  return text.replaceAll(INVISIBLE, '').toUpperCase().toLowerCase().replaceAll('ς', 'σ');
}

export function isAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text);
}
