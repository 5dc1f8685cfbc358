import type { Command } from '../part.ts';
import type { LineMarker } from '../screen/terminal-internals.ts';
import type { Anchor, Found } from './entered-lines.ts';
import { isContinuation, type Prompts } from './prompts.ts';
import type { RunningCommands } from './running-commands.ts';
import type { ScreenLines } from './screen-lines.ts';

/** A longer command is given with what is left out in its middle counted. */
const LONGEST_COMMAND = 16_384;
const TAIL = 4096;

/** A longer prompt is none that could be known again. */
const LONGEST_PROMPT = 256;

export interface Began {
  command: Command;
  /** When it, or what was added to it, was entered. */
  at: number;
  /** The line as it stands on the screen, with its prompt; missing where none was seen. */
  line?: string | undefined;
  /** What was added to a command that began before. */
  added?: string;
}

/** Where on the screen a line was entered. */
export interface Place {
  lines: ScreenLines;
  row: number;
  pasted: boolean;
  anchor: Anchor | undefined;
}

/** Lines become commands here, or go on with the command before. */
export class Beginnings {
  /** Time of the event that is shown. */
  now = 0;
  readonly #running: RunningCommands;
  readonly #prompts: Prompts;
  readonly #tell: (began: Began) => void;
  /** The row of the line that was entered last, and whether it was part of a paste. */
  #last: LineMarker | undefined;
  #pasted: boolean;

  constructor(running: RunningCommands, prompts: Prompts, tell: (began: Began) => void, pasted = false) {
    this.#running = running;
    this.#prompts = prompts;
    this.#tell = tell;
    this.#pasted = pasted;
  }

  get last(): LineMarker | undefined {
    return this.#last;
  }

  set last(row: LineMarker | undefined) {
    this.#last = row;
  }

  get pasted(): boolean {
    return this.#pasted;
  }

  /** A command that is known from elsewhere. */
  beginExec(text: string): void {
    const command: Command = { how: 'exec', at: this.now, text: clipCommand(text) };
    this.#running.begin({ command, markable: false }, this.now);
    this.#tell({ command, at: this.now });
  }

  begin(at: number, found: Found, line: string | undefined, place?: Place): void {
    const prompt = found.prompt !== undefined && found.prompt.length <= LONGEST_PROMPT ? found.prompt : undefined;
    const text = found.text.trim();
    const { last } = this.#running;
    if (last !== undefined && place !== undefined && this.#continues(last.prompt, prompt, place)) {
      last.command.text = clipCommand(`${last.command.text}\n${text}`);
      this.#tell({ command: last.command, at, line: line?.trimEnd(), added: text });
    } else {
      const command: Command = { how: 'derived', at, text: clipCommand(text) };
      this.#running.begin({ command, ...(prompt === undefined ? {} : { prompt }), markable: found.markable }, this.now);
      this.#tell({ command, at, line: line?.trimEnd() });
      if (prompt !== undefined) this.#prompts.learn(prompt);
    }
    this.#last?.dispose();
    this.#pasted = place?.pasted === true;
    this.#last = place === undefined || place.lines.alternate ? undefined : place.lines.mark(place.row);
  }

  /** Directly below the line before it, and not at a prompt for commands. */
  #continues(before: string | undefined, prompt: string | undefined, { lines, row, anchor }: Place): boolean {
    const last = this.#last;
    if (last === undefined || last.isDisposed || before === undefined || lines.alternate) return false;
    const first = anchor?.row !== undefined && !anchor.row.isDisposed ? anchor.row.line : lines.firstRow(row);
    if (first !== last.line + 1) return false;
    return prompt === undefined || prompt === '' ? this.#pasted : prompt !== before && isContinuation(prompt);
  }
}

function clipCommand(text: string): string {
  if (text.length <= LONGEST_COMMAND) return text;
  const [head, tail] = [text.slice(0, LONGEST_COMMAND - TAIL - 100), text.slice(-TAIL)];
  return `${head} … (${text.length - head.length - tail.length} characters are left out) … ${tail}`.toWellFormed();
}
