import type { CastEvent } from '../../contract/replay/cast-event.ts';
import { CommandFinder } from '../../contract/replay/command-finder.ts';
import type { Began } from '../../contract/replay/commands/beginnings.ts';
import type { Command } from '../../contract/replay/part.ts';
import { Emulation } from '../../contract/replay/screen/emulation.ts';
import { TextLines } from './text-lines.ts';
import type { ItemBody } from './transcript-item.ts';

interface Telling {
  say(body: ItemBody): void;
  line(text: string): void;
  /** Makes a time of the channel one of the world. */
  since(at: number): number;
}

type Output = Extract<CastEvent, { kind: 'data' }>;

/** Prompts that were shown once and are left away from then on. */
const MOST_PROMPTS = 256;

/** Characters that are kept of output that has not been put on the screen. */
const MOST_UNSEEN = 128 * 1024;

/** Output of so many characters is shown at once: its lines are given out before the next. */
const PIECE = 16_384;

/**
 * A channel's commands and, once it has a terminal, its output: as lines of text, and on a screen at the same time.
 * Where a line feed may begin a command both are taken there together, so that its output comes after it.
 */
export class TerminalItems {
  readonly #telling: Telling;
  readonly #finder: CommandFinder;
  readonly #lines: TextLines;
  #emulation: Emulation | undefined;
  /** Output that nothing depends on yet, and the event that ended it. */
  #unseen = '';
  #unseenEvent: Output | undefined;
  /** Lines that the piece has completed, and what was told of commands meanwhile. */
  #complete: string[] = [];
  #told: ({ began: Began; text: string } | { over: Command })[] = [];
  readonly #prompts = new Set<string>();
  #last: Command | undefined;

  constructor(telling: Telling) {
    this.#telling = telling;
    this.#lines = new TextLines((line) => this.#complete.push(line));
    this.#finder = new CommandFinder((command) => this.#told.push({ over: command }), {
      began: (began) => this.#told.push({ began, text: began.added ?? began.command.text }),
    });
  }

  get terminal(): boolean {
    return this.#emulation !== undefined;
  }

  becomeTerminal(cols: number, rows: number): void {
    this.#emulation ??= new Emulation(cols, rows);
    this.#finder.begin({ cols, rows, pty: true, title: undefined, command: undefined, synthetic: false });
  }

  /** Output of a terminal; what it said is complete after each step. */
  *show(event: Output): Generator<void> {
    const emulation = this.#emulation;
    if (emulation === undefined) return;
    const { text } = event;
    const unseen = this.#finder.indifferent && scrolls(text) && emulation.settled;
    if (unseen) this.#passOver(event, emulation);
    else {
      this.#showUnseen();
      this.#finder.before(event, emulation);
    }
    for (let from = 0; from < text.length; ) {
      const end = this.#endOfPiece(text, from);
      const piece = text.slice(from, end);
      from = end;
      if (!unseen) emulation.show(piece);
      this.#lines.push(piece);
      this.#give();
      yield;
    }
    if (unseen) return;
    this.#finder.after(event, emulation);
    this.#give();
  }

  /** Anything else that happens in the channel. */
  take(event: CastEvent): void {
    this.#showUnseen();
    this.#finder.before(event, this.#emulation);
    if (event.kind === 'resize') this.#emulation?.resize(event.cols, event.rows);
    this.#finder.after(event, this.#emulation);
    this.#give();
  }

  /** Gives out a line of the terminal that was not finished. */
  endLine(): void {
    this.#lines.end();
    this.#give();
  }

  end(): void {
    this.#showUnseen();
    this.#finder.end();
    this.#give();
  }

  close(): void {
    this.#emulation?.dispose();
  }

  /** Of output that only scrolls by, the screen needs no more than what is left in the end. */
  #passOver(event: Output, emulation: Emulation): void {
    this.#unseen += event.text;
    this.#unseenEvent = event;
    if (this.#unseen.length > MOST_UNSEEN) this.#unseen = lastLines(this.#unseen, 2 * emulation.rows);
    if (this.#unseen.length > MOST_UNSEEN) this.#showUnseen();
  }

  #showUnseen(): void {
    const event = this.#unseenEvent;
    const emulation = this.#emulation;
    if (event === undefined || emulation === undefined) return;
    const text = lastLines(this.#unseen, 2 * emulation.rows);
    this.#unseen = '';
    this.#unseenEvent = undefined;
    this.#finder.before({ ...event, text }, emulation);
    emulation.show(text);
    this.#finder.after(event, emulation);
  }

  #endOfPiece(text: string, from: number): number {
    const feed = this.#finder.awaits ? text.indexOf('\n', from) + 1 : 0;
    if (feed > 0 && feed - from <= PIECE) return feed;
    const end = from + PIECE;
    return (text.codePointAt(end - 1) ?? 0) > 0xffff ? end + 1 : end;
  }

  #give(): void {
    if (this.#told.length === 0) {
      for (const text of this.#complete) this.#telling.line(text);
      this.#complete.length = 0;
      return;
    }
    const told = this.#told;
    const complete = this.#complete;
    [this.#told, this.#complete] = [[], []];
    const began = told.findLast((one) => 'began' in one)?.began;
    // The line that was left with the line feed is the last one, and the screen knows it better: with what was wrapped.
    const typed = began?.line === undefined ? undefined : (complete.pop() ?? began.line);
    for (const text of complete) this.#telling.line(text);
    for (const one of told) {
      if ('over' in one) {
        this.#telling.say({ kind: 'over', command: one.over, last: one.over === this.#last });
        continue;
      }
      const beside =
        one.began === began && typed !== undefined && began.line !== undefined ? this.#beside(began.line, one.text) : undefined;
      if (beside !== undefined) this.#telling.line(beside);
      this.#last = one.began.command;
      this.#telling.say({
        kind: 'began',
        command: one.began.command,
        since: this.#telling.since(one.began.at),
        text: one.text,
        added: one.began.added !== undefined,
      });
    }
  }

  /** What a line tells beside its command: a prompt that was not shown before, or all of it when it is another line. */
  #beside(line: string, text: string): string | undefined {
    const [shown, command] = [bare(line), bare(text)];
    if (!shown.endsWith(command)) return line;
    const prompt = shown.slice(0, shown.length - command.length);
    if (prompt === '' || /^[$#%>]$/.test(prompt) || this.#prompts.has(prompt)) return undefined;
    if (this.#prompts.size < MOST_PROMPTS) this.#prompts.add(prompt);
    return line.endsWith(text) ? line.slice(0, line.length - text.length).trimEnd() : line;
  }
}

/** Nothing in it but text, tabs, ends of lines, and colours. */
function scrolls(text: string): boolean {
  return !/[\0-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f]|\x1b(?!\[[\d;]*m)/.test(text);
}

/** From the beginning of a line, so many from the end; all of it where lines end in another way. */
function lastLines(text: string, count: number): string {
  let at = text.length;
  for (let line = 0; line <= count; line += 1) {
    at = text.lastIndexOf('\r\n', at - 1);
    if (at <= 0) return text;
  }
  return text.slice(at + 2);
}

function bare(text: string): string {
  return text.replaceAll(/\s+/g, '');
}
