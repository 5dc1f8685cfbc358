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
  /** The best that the screen has shown of it. */
  seen: string;
  /** Line feeds since Enter. */
  waited: number;
}

/** What a line turned out to be. */
export interface Found {
  text: string;
  prompt: string | undefined;
  /** The screen showed it where the shell had marked its beginning, and it is what was typed. */
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
  waited: z.number().int().nonnegative(),
});

/** How much of a line is its prompt, knowing what stood there when typing began. */
type PromptLength = (line: string, left: string | undefined) => number | undefined;

/** Whether the line that ends in `row`, which the cursor has just left, is the one that was entered. */
export function findEntered(entered: Entered, lines: ScreenLines, row: number, lengthOf: PromptLength): Found | undefined {
  const anchored = entered.waited === 0 ? anchoredRest(entered, lines, row, lengthOf) : undefined;
  if (entered.secret) {
    // What was asked for as a secret and yet shows was none. Stars are shown in the place of one.
    const line = lines.lineUpTo(row);
    const rest = (anchored?.text ?? line.slice(lengthOf(line, undefined) ?? line.length)).trim();
    return { text: isMask(rest) ? '' : rest, prompt: anchored?.prompt, markable: false };
  }
  const typed = bareText(entered.typed);
  if (anchored !== undefined) {
    const { text } = anchored;
    const bare = bareText(text);
    if (entered.plain && typed !== '') {
      if (bare === typed) return { ...anchored, text: entered.typed };
      // Behind it, at the right edge, stands a prompt of its own.
      if (text.trim().startsWith(`${entered.typed.trim()}  `)) return { ...anchored, text: entered.typed };
    } else if (bare !== '') return anchored;
    if (bare !== '') entered.seen = text;
  }
  if (!mayBe(entered, lines, row, typed)) return undefined;
  const line = lines.lineUpTo(row);
  const length = lengthOf(line, entered.anchor?.prompt);
  if (entered.plain && typed !== '') {
    if (!bareText(line).endsWith(typed)) return undefined;
    const prompt = length === undefined ? undefined : line.slice(0, length);
    const whole = prompt !== undefined && bareText(line.slice(length)) === typed;
    return { text: entered.typed, prompt: whole ? prompt : undefined, markable: whole };
  }
  if (length === undefined) return undefined;
  const text = line.slice(length).trim();
  return text === '' ? undefined : { text, prompt: line.slice(0, length), markable: false };
}

/** What stands behind the prompt, from where typing began down to the line that was left. */
function anchoredRest({ anchor }: Entered, lines: ScreenLines, row: number, lengthOf: PromptLength): Found | undefined {
  if (anchor?.row === undefined || anchor.row.isDisposed) return undefined;
  const { normal } = lines.core.buffers;
  const first = anchor.row.line;
  const within = !lines.alternate && first <= row ? lines.between(first, row, normal) : undefined;
  // The cursor was taken elsewhere, or the other screen shown for a moment: the line still stands where it was typed.
  const line = within?.startsWith(anchor.prompt) === true ? within : lines.between(first, lastRow(first, lines), normal);
  if (line?.startsWith(anchor.prompt) !== true) return undefined;
  const length = lengthOf(line, anchor.prompt) ?? anchor.prompt.length;
  const markable = anchor.marked && length === anchor.prompt.length && line === within;
  return { text: line.slice(length).trimEnd(), prompt: line.slice(0, length), markable };
}

function lastRow(first: number, { core }: ScreenLines): number {
  const { lines } = core.buffers.normal;
  let last = first;
  while (last - first < 400 && lines.get(last + 1)?.isWrapped === true) last += 1;
  return last;
}

/** Cheap, and said of every line while one is waited for: whether its last character is that of what was typed. */
function mayBe(entered: Entered, lines: ScreenLines, row: number, typed: string): boolean {
  if (!entered.plain || typed === '') return true;
  const text = lines.buffer.lines.get(row)?.translateToString(true).trimEnd() ?? '';
  return text !== '' && typed.endsWith(text.slice(-1));
}

function isMask(text: string): boolean {
  return /^[*•●·]*$/u.test(text);
}
