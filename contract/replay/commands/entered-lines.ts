import { z } from 'zod';
import type { LineMarker } from '../screen/terminal-internals.ts';
import { bareText, type ScreenLines } from './screen-lines.ts';

/** Where typing began. */
export interface Anchor {
  /** What stood left of the cursor, of the line that it was on. */
  prompt: string;
  /** The first row of that line, on the screen that is not the alternate one. */
  row: LineMarker | undefined;
  /** The shell marked this very place as the beginning of a command. */
  marked: boolean;
}

/** A line that Enter was pressed on, until it has been seen on the screen. */
export interface Entered {
  at: number;
  typed: string;
  plain: boolean;
  secret: boolean;
  pasted: boolean;
  /** Missing when it was typed before the line before it was taken. */
  anchor: Anchor | undefined;
  /** What the screen showed of it when Enter was pressed, and what stood there when the line was left, if that was something else. */
  seen: string;
  instead: string;
  /** So many line feeds had come when Enter was pressed. */
  fed: number;
}

/** What a line turned out to be. */
export interface Found {
  text: string;
  prompt: string | undefined;
  /** It is what was typed, and stands where it was. */
  markable: boolean;
}

export const anchorSchema = z.strictObject({
  prompt: z.string(),
  /** Counted from the top of the screen; above it negative. */
  row: z.number().int().optional(),
  marked: z.boolean(),
});

export const enteredSchema = z.strictObject({
  at: z.number().int().nonnegative(),
  typed: z.string(),
  plain: z.boolean(),
  secret: z.boolean(),
  pasted: z.boolean(),
  anchor: anchorSchema.optional(),
  seen: z.string(),
  instead: z.string(),
  fed: z.number().int().nonnegative(),
});

/** A line that the cursor has just left. */
export interface LeftLine {
  row: number;
  /** With what was wrapped. */
  text: string;
  /** How much of it is a prompt, knowing what stood there when typing began. */
  promptLength: (line: string, left: string | undefined) => number | undefined;
}

/** Whether this line is the one that was entered. `first`: nothing else has been left since Enter. */
export function findEntered(entered: Entered, lines: ScreenLines, left: LeftLine, first: boolean): Found | undefined {
  const anchored = first ? anchoredRest(entered, lines, left) : undefined;
  const { text: line, promptLength } = left;
  if (entered.secret) {
    // What was asked for as a secret and yet shows was none. Stars are shown in the place of one.
    const rest = (anchored?.text ?? line.slice(promptLength(line, undefined) ?? line.length)).trim();
    return { text: isMask(rest) ? '' : rest, prompt: anchored?.prompt, markable: false };
  }
  const typed = bareText(entered.typed);
  const sure = entered.plain && typed !== '';
  if (anchored !== undefined) {
    const bare = bareText(anchored.text);
    if (!sure && bare !== '') return anchored;
    if (sure && bare === typed) return { ...anchored, text: entered.typed };
    // Behind it, at the right edge, stands a prompt of its own.
    if (sure && anchored.text.trim().startsWith(`${entered.typed.trim()}  `)) return { ...anchored, text: entered.typed };
    // More than was typed: the beginning was filled in before.
    if (sure && bare.endsWith(typed)) return { ...anchored, markable: false };
    if (bare !== '') entered.instead = anchored.text;
  }
  const length = sure && !bareText(line).endsWith(typed) ? undefined : promptLength(line, entered.anchor?.prompt);
  if (length === undefined)
    return sure && bareText(line).endsWith(typed) ? { text: entered.typed, prompt: undefined, markable: false } : undefined;
  const rest = line.slice(length).trim();
  const prompt = line.slice(0, length);
  if (!sure) return rest === '' ? undefined : { text: rest, prompt, markable: false };
  const whole = bareText(rest) === typed;
  return { text: whole ? entered.typed : rest, prompt, markable: whole };
}

/** What stands behind the prompt, from where typing began down to the line that was left. */
function anchoredRest({ anchor }: Entered, lines: ScreenLines, { row, promptLength }: LeftLine): Found | undefined {
  if (anchor?.row === undefined || anchor.row.isDisposed) return undefined;
  const { normal } = lines.core.buffers;
  const first = anchor.row.line;
  const within = !lines.alternate && first <= row ? lines.between(first, row, normal) : undefined;
  // The cursor was taken elsewhere, or the other screen shown for a moment: the line still stands where it was typed.
  const line = within?.startsWith(anchor.prompt) === true ? within : lines.between(first, lastRow(first, lines), normal);
  if (line?.startsWith(anchor.prompt) !== true) return undefined;
  const length = promptLength(line, anchor.prompt) ?? anchor.prompt.length;
  const markable = length === anchor.prompt.length && line === within;
  return { text: line.slice(length).trimEnd(), prompt: line.slice(0, length), markable };
}

function lastRow(first: number, { core }: ScreenLines): number {
  const { lines } = core.buffers.normal;
  let last = first;
  while (last - first < 400 && lines.get(last + 1)?.isWrapped === true) last += 1;
  return last;
}

/** Stars in the place of a secret. */
export function isMask(text: string): boolean {
  return /^[*•●·]*$/u.test(text);
}
