import { z } from 'zod';
import type { Command } from '../part.ts';
import type { LineMarker, TerminalCore } from '../screen/terminal-internals.ts';
import { type Anchor, anchorSchema, type Entered, enteredSchema, type Found, findEntered, type LeftLine } from './entered-lines.ts';
import { readMark } from './marks.ts';
import { isContinuation, Prompts } from './prompts.ts';
import type { RunningCommands } from './running-commands.ts';
import { bareText, ScreenLines } from './screen-lines.ts';
import { LONGEST_TYPED, nothingTyped, type Typed, takeKeys } from './typed-line.ts';
import { UntypedLines } from './untyped-lines.ts';

/** A longer command is given with what is left out in its middle counted. */
const LONGEST_COMMAND = 16_384;

/** Lines that wait to be seen: in all so many characters, and each for so many line feeds. */
const MOST_WAITING = 256 * 1024;
const LONGEST_WAIT = 2000;
/** A prompt at which nothing happens for this long (microseconds) has nothing more to show of what was typed before. */
const SETTLED = 1_000_000;
/** A line feed is looked at for so many of those that wait. */
const LOOKED_AT = 8;

export interface Began {
  command: Command;
  /** When it, or what was added to it, was entered. */
  at: number;
  /** The line as it stands on the screen, with its prompt; missing where none was seen. */
  line?: string | undefined;
  /** What was added to a command that began before. */
  added?: string;
}

export const typingStateSchema = z.strictObject({
  typed: z.strictObject({ text: z.string(), plain: z.boolean(), secret: z.boolean(), pasting: z.boolean() }),
  anchor: anchorSchema.optional(),
  echoed: z.string(),
  entered: z.array(enteredSchema),
  prompts: z.array(z.string()),
  /** Where the shell marked that typing begins, and the command line that it told. */
  mark: z.string().optional(),
  explicit: z.string().optional(),
  /** The row of the command that began last, from the top of the screen. */
  last: z.number().int().optional(),
  lastPasted: z.boolean(),
  /** A line that was left without Enter. */
  left: z.strictObject({ at: z.number(), text: z.string(), prompt: z.string() }).optional(),
  quiet: z.boolean(),
  fed: z.number().int().nonnegative(),
  shownAt: z.number(),
  untyped: UntypedLines.schema,
});
export type TypingState = z.infer<typeof typingStateSchema>;

/** What is typed at a terminal, and what becomes of it on its screen. */
export class Typing {
  /** Time of the event that is shown. */
  now = 0;
  readonly #running: RunningCommands;
  readonly #began: (began: Began) => void;
  readonly #prompts: Prompts;
  readonly #untyped: UntypedLines;
  readonly #typed: Typed;
  #anchor: Anchor | undefined;
  /** What of it has been seen where it was typed. */
  #echoed: string;
  #entered: Entered[];
  #waiting = 0;
  #mark: string | undefined;
  #explicit: string | undefined;
  #last: LineMarker | undefined;
  #lastPasted: boolean;
  #left: { at: number; text: string; prompt: string } | undefined;
  /** Nothing was shown since Enter. */
  #quiet: boolean;
  /** Line feeds while lines waited. */
  #fed: number;
  #shownAt: number;
  #lines: ScreenLines | undefined;
  #listeners: { dispose(): void }[] = [];
  /** Rows of the state that it went on from, until there is a screen. */
  #state: TypingState | undefined;

  constructor(running: RunningCommands, began: (began: Began) => void, state?: TypingState) {
    this.#running = running;
    this.#began = began;
    this.#state = state;
    this.#prompts = new Prompts(state?.prompts);
    this.#untyped = new UntypedLines(
      this.#prompts,
      (at, text, prompt, line) => this.#begin(at, { text, prompt, markable: false }, line),
      state?.untyped,
    );
    this.#typed = state === undefined ? nothingTyped() : { ...state.typed };
    this.#anchor = state?.anchor === undefined ? undefined : { ...state.anchor, row: undefined };
    this.#entered = state?.entered.map((one) => ({ ...one, anchor: one.anchor && { ...one.anchor, row: undefined } })) ?? [];
    this.#waiting = this.#entered.reduce((sum, { typed }) => sum + typed.length, 0);
    this.#echoed = state?.echoed ?? '';
    this.#mark = state?.mark;
    this.#explicit = state?.explicit;
    this.#lastPasted = state?.lastPasted ?? false;
    this.#left = state?.left;
    this.#quiet = state?.quiet ?? true;
    this.#fed = state?.fed ?? 0;
    this.#shownAt = state?.shownAt ?? 0;
  }

  attach(core: TerminalCore): void {
    this.detach();
    const lines = new ScreenLines(core);
    this.#lines = lines;
    this.#listeners.push(core.onLineFeed(() => this.#lineFed(lines)));
    for (const number of [133, 633])
      this.#listeners.push(
        core.registerOscHandler(number, (payload) => {
          this.#take(lines, payload);
          return false;
        }),
      );
    const state = this.#state;
    this.#state = undefined;
    if (state === undefined) return;
    const { normal } = core.buffers;
    const marker = (row: number | undefined) =>
      row === undefined || normal.ybase + row < 0 ? undefined : lines.mark(Math.min(normal.ybase + row, normal.lines.length - 1), normal);
    if (this.#anchor !== undefined) this.#anchor.row = marker(state.anchor?.row);
    for (const [at, { anchor }] of this.#entered.entries()) if (anchor !== undefined) anchor.row = marker(state.entered[at]?.anchor?.row);
    this.#last = marker(state.last);
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

  /** A line feed may begin a command: whoever wants to know at which one shows output line by line. */
  get awaits(): boolean {
    return this.#entered.length > 0 || this.#anchor !== undefined || this.#untyped.awaits;
  }

  get indifferent(): boolean {
    return !this.awaits && !this.#untyped.looks && this.#lines !== undefined;
  }

  /** Output of this length is shown next. */
  shows(length: number): void {
    this.#lines?.earn(length);
    this.#quiet = false;
    this.#shownAt = this.now;
    if (this.#lines !== undefined) this.#untyped.rest(this.#lines, this.now);
  }

  /** Remembers what stands on the line that is typed, before something may take it away. */
  look(): void {
    const lines = this.#lines;
    const { text, plain } = this.#typed;
    if (lines === undefined || this.#anchor === undefined || lines.alternate || !plain || text === '') return;
    const line = lines.lineUpTo(lines.cursorRow());
    if (line.startsWith(this.#anchor.prompt) && bareText(line.slice(this.#anchor.prompt.length)) === bareText(text)) this.#echoed = text;
  }

  shown(): void {
    const lines = this.#lines;
    if (lines === undefined || this.#running.last === undefined) return;
    // At the first column there is no prompt, and most output ends there.
    const left = lines.buffer.x === 0 || lines.right() !== '' ? undefined : lines.left();
    this.#running.rests(this.now, left);
  }

  /** A part of the recording is missing here. */
  loseSight(): void {
    this.#forget();
    this.#left = undefined;
    this.#mark = undefined;
  }

  end(): void {
    this.#settleLeft();
    this.#give(this.#entered.length);
    this.#forget();
  }

  state(): TypingState {
    const normal = this.#lines?.core.buffers.normal;
    const rowOf = (marker: LineMarker | undefined) =>
      marker === undefined || marker.isDisposed || normal === undefined ? undefined : marker.line - normal.ybase;
    const plainAnchor = (anchor: Anchor | undefined) => {
      if (anchor === undefined) return {};
      const row = rowOf(anchor.row);
      return { anchor: { prompt: anchor.prompt, marked: anchor.marked, ...(row === undefined ? {} : { row }) } };
    };
    const last = rowOf(this.#last);
    return {
      typed: { ...this.#typed },
      ...plainAnchor(this.#anchor),
      echoed: this.#echoed,
      entered: this.#entered.map(({ anchor, ...one }) => ({ ...one, ...plainAnchor(anchor) })),
      prompts: [...this.#prompts.known],
      ...(this.#mark === undefined ? {} : { mark: this.#mark }),
      ...(this.#explicit === undefined ? {} : { explicit: this.#explicit }),
      ...(last === undefined ? {} : { last }),
      lastPasted: this.#lastPasted,
      ...(this.#left === undefined ? {} : { left: this.#left }),
      quiet: this.#quiet,
      fed: this.#fed,
      shownAt: this.#shownAt,
      untyped: this.#untyped.state(),
    };
  }

  /** A command that is known from elsewhere. */
  began(command: Command): void {
    this.#running.begin({ command, markable: false }, this.now);
    this.#began({ command, at: command.at });
  }

  #beginTyping(lines: ScreenLines): void {
    this.#settleLeft();
    this.#leaveStale(lines);
    if (this.#anchor !== undefined || this.#typed.text !== '' || !this.#typed.plain) return;
    const left = lines.left();
    if (this.#entered.length > 0) {
      // More is typed before the line before it was taken: where it will stand, nobody knows yet.
      if (this.#quiet) return;
      if (this.#prompts.isOne(left) && lines.right() === '') {
        if (this.now - this.#shownAt < SETTLED) return;
        this.#give(this.#entered.length);
      }
    }
    if (this.#entered.length === 0) this.#running.settle();
    for (const { anchor } of this.#entered) anchor?.row?.dispose();
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
    const row = anchor.row === undefined || anchor.row.isDisposed ? undefined : anchor.row.line;
    if (row === undefined) {
      if (!lines.alternate) this.#forget();
      return;
    }
    if (lines.alternate) return;
    if (lines.firstRow(lines.cursorRow()) === row && lines.lineUpTo(lines.cursorRow()).startsWith(anchor.prompt)) {
      this.look();
      return;
    }
    if (!this.#prompts.isOne(lines.left()) || lines.right() !== '') return;
    const echoed = this.#echoed;
    this.#forget();
    if (echoed !== '') this.#begin(this.now, { text: echoed, prompt: undefined, markable: false }, undefined);
  }

  #enter(lines: ScreenLines): void {
    const { text, plain, secret, pasting } = this.#typed;
    const anchor = this.#anchor;
    const echoed = this.#echoed;
    // In place: the keys that follow go on in it.
    Object.assign(this.#typed, nothingTyped(), { pasting });
    this.#echoed = '';
    this.#anchor = undefined;
    const buffer = lines.core.buffers.normal;
    // What is typed at a program that has the screen to itself is for it. Unless it was begun on the other screen, or at a prompt.
    if (lines.alternate && (anchor === undefined || anchor.row === undefined || (text === '' && plain))) {
      const line = lines.lineUpTo(lines.cursorRow());
      const length = this.#prompts.lengthIn(line, undefined);
      if (length === undefined) return;
      const shown = line.slice(length).trim();
      if (shown !== '') this.#begin(this.now, { text: shown, prompt: line.slice(0, length), markable: false }, line);
      return;
    }
    const line = anchor === undefined ? '' : lines.lineUpTo(lines.cursorRow(buffer), buffer);
    const length = anchor === undefined ? undefined : this.#prompts.lengthIn(line, anchor.prompt);
    const seen = length === undefined ? '' : line.slice(length).trim();
    if (text.trim() === '' && plain && !secret && seen === '') {
      anchor?.row?.dispose();
      return;
    }
    this.#entered.push({
      at: this.now,
      typed: text,
      plain,
      secret,
      pasted: pasting,
      anchor,
      seen: seen === '' ? echoed : seen,
      instead: '',
      fed: this.#fed,
    });
    this.#waiting += text.length;
    this.#quiet = true;
    while (this.#waiting > MOST_WAITING && this.#entered.length > 1) this.#give(1);
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
    if (this.#entered.length === 0) {
      this.#untyped.leave(lines, row, this.now);
      if (this.#anchor !== undefined && !this.#typed.pasting) this.#leaveUnentered(lines, row);
      return;
    }
    const looked = this.#entered.slice(0, LOOKED_AT);
    const [head] = looked;
    const left = this.#leftLine(lines, row);
    // First whose own line it is; then who knows what to look for; then who takes what comes. Later ones may be seen earlier.
    const own = head?.fed === this.#fed && head.anchor !== undefined ? [head] : [];
    const sure = looked.filter((one) => one.plain && one.typed !== '');
    const other = looked.find((one) => !sure.includes(one));
    for (const entered of new Set([...own, ...sure, ...(other === undefined ? [] : [other])])) {
      const found = findEntered(entered, lines, left, entered.fed === this.#fed);
      if (found === undefined) continue;
      const at = this.#entered.indexOf(entered);
      this.#drop(at, 1);
      // Enter in a menu that filled in this very line, and Enter on the line.
      const next = this.#entered[at];
      if (next?.typed === '' && next.plain && bareText(next.seen) === bareText(found.text)) this.#drop(at, 1);
      if (found.text === '') break;
      // What was typed ahead is taken when it stands at a prompt.
      const since = entered.anchor === undefined && found.prompt !== undefined ? this.now : entered.at;
      this.#begin(since, found, left.text, { lines, row, pasted: entered.pasted, anchor: entered.anchor });
      entered.anchor?.row?.dispose();
      break;
    }
    this.#fed += 1;
    const waited = this.#entered.findIndex(({ fed }) => this.#fed - fed <= LONGEST_WAIT);
    if (waited !== 0) this.#give(waited < 0 ? this.#entered.length : waited);
  }

  #leftLine(lines: ScreenLines, row: number): LeftLine {
    return { row, text: lines.lineUpTo(row), promptLength: (line, left) => this.#prompts.lengthIn(line, left) };
  }

  /** A key may be bound to what Enter does. What was left is looked at again when the next key is pressed. */
  #leaveUnentered(lines: ScreenLines, row: number): void {
    const { text, plain, secret } = this.#typed;
    if (this.#left !== undefined || this.#anchor === undefined || secret || (text === '' && plain)) return;
    const entered = { at: this.now, typed: text, plain, secret, pasted: false, anchor: this.#anchor, seen: '', instead: '', fed: 0 };
    const found = findEntered(entered, lines, this.#leftLine(lines, row), true);
    if (found?.prompt === undefined || found.text.trim() === '' || (plain && bareText(found.text) !== bareText(text))) return;
    this.#left = { at: this.now, text: found.text, prompt: found.prompt };
  }

  /** A line that was left without Enter and does not stand at the prompt again was taken. */
  #settleLeft(): void {
    const left = this.#left;
    const lines = this.#lines;
    if (left === undefined) return;
    this.#left = undefined;
    if (lines !== undefined) {
      const now = `${left.prompt}${left.text}`;
      const row = this.#anchor?.row;
      const anchored = row === undefined || row.isDisposed ? undefined : row.line;
      // Still the line that is edited, in which the cursor has gone up again.
      if (anchored === lines.firstRow(lines.cursorRow()) && lines.lineUpTo(lines.cursorRow()).startsWith(left.prompt)) return;
      const edited = anchored === undefined ? undefined : lines.between(anchored, lines.cursorRow());
      const again = lines.lineUpTo(lines.cursorRow()).startsWith(now) || edited?.startsWith(now) === true;
      if (again && !this.#prompts.isOne(lines.left())) return;
    }
    this.#begin(left.at, { text: left.text, prompt: left.prompt, markable: false }, undefined);
    this.#forget();
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
      case 'started': {
        // Some shells say so before the line feed.
        if (this.#entered[0]?.anchor?.marked === true) this.#leave(lines, lines.cursorRow());
        const text = this.#running.last?.command.text ?? '';
        const explicit = this.#explicit;
        this.#running.started(explicit !== undefined && bareText(explicit) === bareText(text) ? explicit : undefined);
        this.#mark = undefined;
        this.#explicit = undefined;
        return;
      }
      case 'ended':
        this.#running.ended(this.now, mark.exit);
    }
  }

  /** Those that were entered first and not seen as they should have been: as far as something was seen of them. */
  #give(many: number): void {
    const given = this.#drop(0, many);
    for (const { at, typed, plain, secret, seen, instead } of given) {
      const bare = bareText(typed);
      const texts = [...new Set([seen, instead])].filter((text) => text !== '' && !bareText(text).includes(bare));
      if (!secret && bare !== '') {
        const shown = bareText(`${seen}\n${instead}`).includes(bare) || this.#lines?.shows(bare) === true;
        if (plain && shown) texts.unshift(typed);
        else if (typed.length >= LONGEST_TYPED) texts.unshift(`${typed} … (and more)`);
        else if (plain || texts.length === 0) texts.unshift(notShown(typed.length));
      }
      for (const text of texts) this.#begin(at, { text, prompt: undefined, markable: false }, undefined);
    }
  }

  #drop(from: number, many: number): Entered[] {
    const dropped = this.#entered.splice(from, many);
    for (const { typed } of dropped) this.#waiting -= typed.length;
    return dropped;
  }

  #begin(
    at: number,
    found: Found,
    line: string | undefined,
    where?: { lines: ScreenLines; row: number; pasted: boolean; anchor: Anchor | undefined },
  ): void {
    const { prompt, markable } = found;
    const text = found.text.trim();
    const { last } = this.#running;
    if (last !== undefined && where !== undefined && this.#continues(last.prompt, prompt, where)) {
      last.command.text = clipCommand(`${last.command.text}\n${text}`);
      this.#began({ command: last.command, at, line: line?.trimEnd(), added: text });
    } else {
      const command: Command = { how: 'derived', at, text: clipCommand(text) };
      this.#running.begin({ command, ...(prompt === undefined ? {} : { prompt }), markable }, this.now);
      this.#began({ command, at, line: line?.trimEnd() });
      if (prompt !== undefined) this.#prompts.learn(prompt);
    }
    this.#last?.dispose();
    this.#lastPasted = where?.pasted === true;
    this.#last = where === undefined || where.lines.alternate ? undefined : where.lines.mark(where.row);
  }

  /** Directly below the line before it, and not at a prompt for commands. */
  #continues(
    before: string | undefined,
    prompt: string | undefined,
    { lines, row, anchor }: { lines: ScreenLines; row: number; anchor: Anchor | undefined },
  ): boolean {
    const last = this.#last;
    if (last === undefined || last.isDisposed || before === undefined || lines.alternate) return false;
    const first = anchor?.row !== undefined && !anchor.row.isDisposed ? anchor.row.line : lines.firstRow(row);
    if (first !== last.line + 1) return false;
    return prompt === undefined || prompt === '' ? this.#lastPasted : prompt !== before && isContinuation(prompt);
  }

  #forget(): void {
    Object.assign(this.#typed, nothingTyped());
    this.#echoed = '';
    this.#anchor?.row?.dispose();
    this.#anchor = undefined;
  }
}

export function clipCommand(text: string): string {
  if (text.length <= LONGEST_COMMAND) return text;
  const [head, tail] = [text.slice(0, LONGEST_COMMAND - 4200), text.slice(-4096)];
  return `${head} … (${text.length - head.length - tail.length} characters are left out) … ${tail}`.toWellFormed();
}

function notShown(length: number): string {
  return `(${length} characters that did not show on the screen)`;
}
