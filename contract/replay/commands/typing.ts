import { z } from 'zod';
import type { LineMarker, TerminalCore } from '../screen/terminal-internals.ts';
import { type Began, Beginnings } from './beginnings.ts';
import { type Anchor, anchorSchema, enteredSchema, findEntered, type LeftLine } from './entered-lines.ts';
import { readMark } from './marks.ts';
import { looksLikePrompt, Prompts } from './prompts.ts';
import type { RunningCommands } from './running-commands.ts';
import { bareText, ScreenLines } from './screen-lines.ts';
import { nothingTyped, type Typed, takeKeys } from './typed-line.ts';
import { UntypedLines } from './untyped-lines.ts';
import { WaitingLines } from './waiting-lines.ts';

/** A prompt at which nothing happens for this long (microseconds) has nothing more to show of what was typed before. */
const SETTLED = 1_000_000;

/** For keys that are no characters, of a line that has not been shown yet. */
const NOT_SHOWN = '(a line that did not show on the screen)';

const count = z.number().int().nonnegative();

export const typingStateSchema = z.strictObject({
  typed: z.strictObject({ text: z.string(), plain: z.boolean(), secret: z.boolean(), pasting: z.boolean() }),
  anchor: anchorSchema.optional(),
  echoed: z.string(),
  entered: z.array(enteredSchema),
  fed: count,
  prompts: z.array(z.string()),
  /** Where the shell marked that typing begins, and the command line that it told. */
  mark: z.string().optional(),
  explicit: z.string().optional(),
  /** The row of the line that was entered last, from the top of the screen. */
  last: z.number().int().optional(),
  lastPasted: z.boolean(),
  /** A line that was left without Enter. */
  left: z.strictObject({ at: count, text: z.string(), prompt: z.string() }).optional(),
  quiet: z.boolean(),
  shownAt: count,
  untyped: UntypedLines.schema,
});
export type TypingState = z.infer<typeof typingStateSchema>;

/** What is typed at a terminal, and what becomes of it on its screen. */
export class Typing {
  readonly #running: RunningCommands;
  readonly #beginnings: Beginnings;
  readonly #waiting: WaitingLines;
  readonly #prompts: Prompts;
  readonly #untyped: UntypedLines;
  readonly #typed: Typed;
  #anchor: Anchor | undefined;
  /** What of it has been seen where it was typed. */
  #echoed: string;
  #mark: string | undefined;
  #explicit: string | undefined;
  #left: { at: number; text: string; prompt: string } | undefined;
  /** Nothing was shown since Enter. */
  #quiet: boolean;
  #shownAt: number;
  #lines: ScreenLines | undefined;
  #listeners: { dispose(): void }[] = [];
  /** Whose rows are to be found again, when there is a screen. */
  #state: TypingState | undefined;

  constructor(running: RunningCommands, began: (began: Began) => void, state?: TypingState) {
    this.#running = running;
    this.#state = state;
    this.#prompts = new Prompts(state?.prompts);
    this.#beginnings = new Beginnings(running, this.#prompts, began, state?.lastPasted);
    const entered = state?.entered.map((one) => ({ ...one, anchor: withoutRow(one.anchor) }));
    this.#waiting = new WaitingLines(this.#beginnings, entered, state?.fed);
    this.#untyped = new UntypedLines(
      this.#prompts,
      (at, text, prompt, line) => this.#beginnings.begin(at, { text, prompt, markable: false }, line),
      state?.untyped,
    );
    this.#typed = state === undefined ? nothingTyped() : { ...state.typed };
    this.#anchor = withoutRow(state?.anchor);
    this.#echoed = state?.echoed ?? '';
    this.#mark = state?.mark;
    this.#explicit = state?.explicit;
    this.#left = state?.left;
    this.#quiet = state?.quiet ?? true;
    this.#shownAt = state?.shownAt ?? 0;
  }

  /** Time of the event that is shown. */
  set now(at: number) {
    this.#beginnings.now = at;
  }

  /** A line feed may begin a command: whoever wants to know at which one shows output line by line. */
  get awaits(): boolean {
    return this.#waiting.some || this.#anchor !== undefined || this.#untyped.awaits;
  }

  get indifferent(): boolean {
    return !this.awaits && !this.#untyped.looks && this.#lines !== undefined;
  }

  attach(core: TerminalCore): void {
    this.detach();
    const lines = new ScreenLines(core);
    this.#lines = lines;
    this.#listeners.push(core.onLineFeed(() => this.#lineFed(lines)));
    const take = (payload: string) => {
      this.#take(lines, payload);
      return false;
    };
    for (const number of [133, 633]) this.#listeners.push(core.registerOscHandler(number, take));
    const state = this.#state;
    this.#state = undefined;
    if (state === undefined) return;
    const { normal } = core.buffers;
    const rowAt = (row: number | undefined) =>
      row === undefined || normal.ybase + row < 0 ? undefined : lines.mark(Math.min(normal.ybase + row, normal.lines.length - 1), normal);
    if (this.#anchor !== undefined) this.#anchor.row = rowAt(state.anchor?.row);
    for (const [at, { anchor }] of this.#waiting.all.entries())
      if (anchor !== undefined) anchor.row = rowAt(state.entered[at]?.anchor?.row);
    this.#beginnings.last = rowAt(state.last);
  }

  detach(): void {
    for (const listener of this.#listeners) listener.dispose();
    this.#listeners = [];
    this.#lines = undefined;
  }

  /** Keys that were pressed, while the screen is what it was then. */
  type(text: string): void {
    const lines = this.#lines;
    if (lines === undefined) return;
    lines.earn(text.length);
    this.#untyped.typed();
    this.#beginTyping(lines);
    for (const key of takeKeys(this.#typed, text, lines.core.coreService.decPrivateModes.bracketedPasteMode)) {
      if (key === 'enter') this.#enter(lines);
      else if (key === 'interrupt') this.#forget();
    }
  }

  typeSecret(): void {
    if (this.#lines === undefined) return;
    this.#untyped.typed();
    this.#beginTyping(this.#lines);
    this.#typed.secret = true;
  }

  /** Output of this length is shown next. */
  shows(length: number): void {
    const lines = this.#lines;
    if (lines === undefined) return;
    lines.earn(length);
    this.#quiet = false;
    this.#shownAt = this.#beginnings.now;
    this.#untyped.rest(lines, this.#beginnings.now);
  }

  shown(): void {
    const lines = this.#lines;
    if (lines === undefined || this.#running.last === undefined) return;
    // Output is told in many small pieces, and hardly any of them ends in a prompt.
    const isOne = this.#running.endsPrompt(lines.before()) && lines.right() === '';
    this.#running.rests(this.#beginnings.now, isOne ? lines.left() : undefined);
  }

  /** Remembers what stands on the line that is typed, before something may take it away. */
  look(): void {
    const lines = this.#lines;
    const { text, plain } = this.#typed;
    if (lines === undefined || this.#anchor === undefined || lines.alternate || !plain || text === '') return;
    const line = lines.lineUpTo(lines.cursorRow());
    const { prompt } = this.#anchor;
    if (line.startsWith(prompt) && bareText(line.slice(prompt.length)) === bareText(text)) this.#echoed = text;
  }

  /** A part of the recording is missing here. */
  loseSight(): void {
    this.#forget();
    this.#left = undefined;
    this.#mark = undefined;
  }

  beginExec(command: string): void {
    this.#beginnings.beginExec(command);
  }

  end(): void {
    this.#settleLeft();
    this.#waiting.give(this.#lines);
    this.#forget();
  }

  state(): TypingState {
    // Without a screen the rows are still those that it went on from.
    if (this.#state !== undefined) return this.#state;
    const normal = this.#lines?.core.buffers.normal;
    const rowOf = (marker: LineMarker | undefined) =>
      marker === undefined || marker.isDisposed || normal === undefined ? undefined : marker.line - normal.ybase;
    const withRow = (anchor: Anchor | undefined) => {
      if (anchor === undefined) return {};
      const row = rowOf(anchor.row);
      return { anchor: { prompt: anchor.prompt, marked: anchor.marked, ...(row === undefined ? {} : { row }) } };
    };
    const last = rowOf(this.#beginnings.last);
    return {
      typed: { ...this.#typed },
      ...withRow(this.#anchor),
      echoed: this.#echoed,
      entered: this.#waiting.all.map(({ anchor, ...one }) => ({ ...one, ...withRow(anchor) })),
      fed: this.#waiting.fed,
      prompts: [...this.#prompts.known],
      ...(this.#mark === undefined ? {} : { mark: this.#mark }),
      ...(this.#explicit === undefined ? {} : { explicit: this.#explicit }),
      ...(last === undefined ? {} : { last }),
      lastPasted: this.#beginnings.pasted,
      ...(this.#left === undefined ? {} : { left: this.#left }),
      quiet: this.#quiet,
      shownAt: this.#shownAt,
      untyped: this.#untyped.state(),
    };
  }

  #beginTyping(lines: ScreenLines): void {
    this.#settleLeft();
    this.#leaveStale(lines);
    if (this.#anchor !== undefined || this.#typed.text !== '' || !this.#typed.plain) return;
    const left = lines.left();
    if (this.#waiting.some) {
      // More is typed before the line before it was taken: where it will stand, nobody knows yet.
      if (this.#quiet) return;
      if (this.#prompts.isOne(left) && lines.right() === '') {
        if (this.#beginnings.now - this.#shownAt < SETTLED) return;
        this.#waiting.give(lines);
      }
    }
    if (!this.#waiting.some) this.#running.settle();
    this.#waiting.loseRows();
    const row = lines.alternate ? undefined : lines.mark(lines.firstRow(lines.cursorRow()));
    this.#anchor = { prompt: left, row, marked: this.#mark !== undefined && this.#mark === left };
  }

  /**
   * Keys that were no line: for a program that had the screen to itself, or took them one by one. A line that had been
   * seen at a prompt and is gone without Enter, with a prompt elsewhere in its place, was one.
   */
  #leaveStale(lines: ScreenLines): void {
    const anchor = this.#anchor;
    if (anchor === undefined) return;
    if (anchor.row === undefined || anchor.row.isDisposed) {
      if (!lines.alternate) this.#forget();
      return;
    }
    if (lines.alternate) return;
    if (lines.firstRow(lines.cursorRow()) === anchor.row.line && lines.lineUpTo(lines.cursorRow()).startsWith(anchor.prompt)) {
      this.look();
      return;
    }
    if (!this.#prompts.isOne(lines.left()) || lines.right() !== '') return;
    const echoed = this.#echoed;
    this.#forget();
    if (echoed !== '') this.#beginnings.begin(this.#beginnings.now, { text: echoed, prompt: undefined, markable: false }, undefined);
  }

  #enter(lines: ScreenLines): void {
    const { text, plain, secret, pasting } = this.#typed;
    const anchor = this.#anchor;
    const echoed = this.#echoed;
    // In place: the keys that follow go on in it.
    Object.assign(this.#typed, nothingTyped(), { pasting });
    this.#echoed = '';
    this.#anchor = undefined;
    const at = this.#beginnings.now;
    const begunHere = anchor?.row !== undefined && (text !== '' || !plain);
    if (lines.alternate && !begunHere) return this.#enterOnOtherScreen(lines, at, plain ? text : `${text}${NOT_SHOWN}`, anchor?.prompt);
    const buffer = lines.core.buffers.normal;
    const line = anchor === undefined ? '' : lines.lineUpTo(lines.cursorRow(buffer), buffer);
    const length = anchor === undefined ? undefined : this.#prompts.lengthIn(line, anchor.prompt);
    const shown = length === undefined ? '' : line.slice(length).trim();
    const seen = shown === '' ? echoed : shown;
    if (text.trim() === '' && plain && !secret && seen === '') {
      anchor?.row?.dispose();
      return;
    }
    this.#quiet = true;
    this.#waiting.add({ at, typed: text, plain, secret, pasted: pasting, anchor, seen }, lines);
  }

  /** What is typed at a program that has the screen to itself is for it, unless it is typed at a prompt: of a shell in tmux. */
  #enterOnOtherScreen(lines: ScreenLines, at: number, otherwise: string, left: string | undefined): void {
    const line = lines.lineUpTo(lines.cursorRow());
    const prompt = left !== undefined && looksLikePrompt(left) && line.startsWith(left) ? left : undefined;
    const length = this.#prompts.lengthIn(line, prompt);
    if (length === undefined) return;
    const shown = line.slice(length).trim() || otherwise.trim();
    if (shown !== '') this.#beginnings.begin(at, { text: shown, prompt: line.slice(0, length), markable: false }, line);
  }

  #lineFed(lines: ScreenLines): void {
    const { buffer } = lines;
    const row = lines.cursorRow(buffer);
    this.#leave(lines, row - 1);
    // Below what scrolls, a line feed in the last row stays there.
    if (buffer.y === lines.core.rows - 1 && buffer.scrollBottom < buffer.y) this.#leave(lines, row);
  }

  /** The cursor has left this row with a line feed. */
  #leave(lines: ScreenLines, row: number): void {
    if (this.#waiting.some) return this.#waiting.leave(this.#leftLine(lines, row), lines, this.#mark);
    this.#untyped.leave(lines, row, this.#beginnings.now);
    if (this.#anchor !== undefined && !this.#typed.pasting) this.#leaveUnentered(lines, row);
  }

  #leftLine(lines: ScreenLines, row: number): LeftLine {
    return { row, text: lines.lineUpTo(row), promptLength: (line, left) => this.#prompts.lengthIn(line, left) };
  }

  /** A key may be bound to what Enter does. What was left is looked at again when the next key is pressed. */
  #leaveUnentered(lines: ScreenLines, row: number): void {
    const { text, plain, secret } = this.#typed;
    if (this.#left !== undefined || this.#anchor === undefined || secret || (text === '' && plain)) return;
    const at = this.#beginnings.now;
    const entered = { at, typed: text, plain, secret, pasted: false, anchor: this.#anchor, seen: '', instead: '', fed: 0 };
    const found = findEntered(entered, lines, this.#leftLine(lines, row), true);
    if (found?.prompt === undefined || found.text.trim() === '' || (plain && bareText(found.text) !== bareText(text))) return;
    this.#left = { at, text: found.text, prompt: found.prompt };
  }

  /** A line that was left without Enter and does not stand at the prompt again was taken. */
  #settleLeft(): void {
    const left = this.#left;
    if (left === undefined) return;
    this.#left = undefined;
    if (this.#lines !== undefined && this.#standsAgain(this.#lines, left)) return;
    this.#beginnings.begin(left.at, { text: left.text, prompt: left.prompt, markable: false }, undefined);
    this.#forget();
  }

  #standsAgain(lines: ScreenLines, { prompt, text }: { prompt: string; text: string }): boolean {
    const row = this.#anchor?.row;
    const anchored = row === undefined || row.isDisposed ? undefined : row.line;
    const line = lines.lineUpTo(lines.cursorRow());
    // Still the line that is edited, in which the cursor has gone up again.
    if (anchored === lines.firstRow(lines.cursorRow()) && line.startsWith(prompt)) return true;
    if (this.#prompts.isOne(lines.left())) return false;
    const edited = anchored === undefined ? undefined : lines.between(anchored, lines.cursorRow());
    return line.startsWith(prompt + text) || edited?.startsWith(prompt + text) === true;
  }

  #take(lines: ScreenLines, payload: string): void {
    const mark = readMark(payload);
    if (mark === undefined || lines.alternate) return;
    switch (mark.kind) {
      case 'prompt':
        this.#mark = undefined;
        return;
      case 'command':
        this.#mark = lines.left();
        this.#explicit = undefined;
        return;
      case 'line':
        this.#explicit = mark.text;
        return;
      case 'started':
        // Some shells say so before the line feed.
        if (this.#waiting.all[0]?.anchor?.marked === true) this.#leave(lines, lines.cursorRow());
        this.#running.started(this.#explicit);
        this.#mark = undefined;
        this.#explicit = undefined;
        return;
      case 'ended':
        this.#running.ended(this.#beginnings.now, mark.exit);
    }
  }

  #forget(): void {
    Object.assign(this.#typed, nothingTyped());
    this.#echoed = '';
    this.#anchor?.row?.dispose();
    this.#anchor = undefined;
  }
}

function withoutRow(anchor: { prompt: string; marked: boolean } | undefined): Anchor | undefined {
  return anchor === undefined ? undefined : { prompt: anchor.prompt, marked: anchor.marked, row: undefined };
}
