/** What was typed since the last Enter, as far as keys alone tell. */
export interface Typed {
  text: string;
  /** Nothing but characters, and erasing at the end: then the line is `text`, whoever edits it. */
  plain: boolean;
  /** Some of it was never recorded. */
  secret: boolean;
  /** Between the brackets of a paste, which a shell takes as text. */
  pasting: boolean;
}

export type Key = 'enter' | 'interrupt' | 'other';

/** Of a line that is longer the screen has to tell. */
export const LONGEST_TYPED = 12_000;

/**
 * Sequences of keys, strings that a terminal answers with, controls, runs of characters. Enter is never within
 * anything: whoever sends it in the middle of a sequence has sent it.
 */
const KEYS =
  /\x1b\[[0-9;?<>=]*[ -/]*[@-~]|\x1b[\]P_^X][^\x07\x1b\r\n]*(?:\x07|\x1b\\)|\x1bO[ -~]|\x1b[^\r\n\x1b]?|[\0-\x1a\x1c-\x1f\x7f]|[^\0-\x1f\x7f]+/gu;

/** What terminals send by themselves: positions, attributes, focus, mouse, and strings. Nobody has typed them. */
const ANSWERS = /^\x1b(?:\[(?:\??\d+;\d+(?:;\d+)*R|[?>=][\d;]*c|[IO]|<[\d;]*[Mm]|\?[\d;]*\$y|\??[\d;]*u|\d*n)|[\]P_^X].*)$/su;

export function nothingTyped(): Typed {
  return { text: '', plain: true, secret: false, pasting: false };
}

/** Puts what arrived into the line, key by key: what is typed is in `typed` when the key is told. `brackets`: whether a program asked for pastes to be marked. */
export function* takeKeys(typed: Typed, input: string, brackets: boolean): Generator<Key> {
  for (const [key] of input.matchAll(KEYS)) {
    if (ANSWERS.test(key)) continue;
    if (key === '\r' || key === '\n') {
      yield 'enter';
      continue;
    }
    if (key === '\x03' && !typed.pasting) {
      yield 'interrupt';
      continue;
    }
    press(typed, key, brackets);
    yield 'other';
  }
}

function press(typed: Typed, key: string, brackets: boolean): void {
  if (key === '\x1b[200~' && brackets) typed.pasting = true;
  else if (key === '\x1b[201~') typed.pasting = false;
  else if (key === '\x7f' || key === '\b') typed.text = typed.text.replace(/.$/su, '');
  else if (key === '\x15') typed.text = '';
  else if (key === '\x17') typed.text = typed.text.trimEnd().replace(/\S+$/u, '');
  else if (key.charCodeAt(0) >= 0x20 || (key === '\t' && typed.pasting)) append(typed, key);
  else typed.plain = false;
}

function append(typed: Typed, run: string): void {
  if (typed.text.length + run.length > LONGEST_TYPED) typed.plain = false;
  typed.text += run.slice(0, Math.max(0, LONGEST_TYPED - typed.text.length));
}
