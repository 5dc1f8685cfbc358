import { z } from 'zod';
import { type Command, commandSchema } from '../part.ts';
import { isAlike } from './prompts.ts';
import { bareText } from './screen-lines.ts';

/** Nested deeper (a shell in a shell in a shell), the outermost are given up: nobody is told when they end. */
const MOST_RUNNING = 32;

const count = z.number().int().nonnegative();

export const runningSchema = z.strictObject({
  command: commandSchema,
  /** What it was typed at; an exec has none. */
  prompt: z.string().optional(),
  /** Typed where the shell marked the beginning of a command; the mark that it is started may still come. */
  markable: z.boolean(),
  /** What the last mark of its end said. Whatever it runs can write such marks, so the last one counts, and two that differ do not. */
  done: z.strictObject({ at: count, exit: z.number().int().optional(), contradicted: z.boolean() }).optional(),
});
export type Running = z.infer<typeof runningSchema>;

/** Commands that are not over, those within others after them. */
export class RunningCommands {
  readonly #report: (command: Command) => void;
  readonly #running: Running[];
  /** The prompt that seems to be back, until it is certain that nothing else comes. */
  #back: { at: number; prompt: string } | undefined;

  constructor(report: (command: Command) => void, running: readonly Running[] = [], back?: { at: number; prompt: string }) {
    this.#report = report;
    this.#running = running.map((one) => ({ ...one, command: { ...one.command } }));
    this.#back = back;
  }

  get all(): readonly Running[] {
    return this.#running;
  }

  get back(): { at: number; prompt: string } | undefined {
    return this.#back;
  }

  get last(): Running | undefined {
    return this.#running.at(-1);
  }

  /** `now`: what was before it is over by then. */
  begin(running: Running, now: number): void {
    const { prompt } = running;
    const done = this.#running.findIndex((one) => one.done !== undefined);
    if (done >= 0) this.#close(done, this.#running[done]?.done?.at);
    if (prompt !== undefined && prompt !== '') {
      const same = this.#at(prompt);
      if (same !== undefined) this.#closeAt(same, this.#back?.at ?? now, prompt);
    }
    this.#back = undefined;
    if (this.#running.length >= MOST_RUNNING) {
      const [given] = this.#running.splice(this.#running[0]?.command.how === 'exec' ? 1 : 0, 1);
      if (given !== undefined) this.#report(given.command);
    }
    this.#running.push(running);
  }

  /** Whether the prompt of any of them ends with this character. */
  endsPrompt(character: string): boolean {
    return character !== '' && this.#running.some(({ prompt }) => prompt?.endsWith(character) === true);
  }

  /** What stands left of the cursor, and nothing right of it, after output at this time. */
  rests(at: number, left: string | undefined): void {
    if (left === undefined || left === '' || this.#at(left) === undefined) this.#back = undefined;
    else if (this.#back?.prompt !== left) this.#back = { at, prompt: left };
  }

  /** Typing begins, or the recording ends: the prompt that stands there is one. */
  settle(): void {
    const back = this.#back;
    this.#back = undefined;
    if (back === undefined) return;
    const same = this.#at(back.prompt);
    if (same !== undefined) this.#closeAt(same, back.at, back.prompt);
  }

  /** The shell says that what was typed is started, and perhaps what it is: which counts where the screen shows the same. */
  started(explicit: string | undefined): void {
    const { last } = this;
    if (last?.markable !== true) return;
    last.markable = false;
    last.command.how = 'marked';
    if (explicit !== undefined && bareText(explicit) === bareText(last.command.text)) last.command.text = explicit;
  }

  /** The shell says that a command is over. */
  ended(at: number, exit: number | undefined): void {
    const marked = this.#running.findLast(({ command }) => command.how === 'marked');
    if (marked === undefined) return;
    const { done } = marked;
    const contradicted = done !== undefined && (done.contradicted || done.exit !== exit);
    marked.done = { at, ...(exit === undefined || contradicted ? {} : { exit }), contradicted };
  }

  /** The channel's program is over, and everything with it. */
  exit(at: number, status: number | undefined): void {
    const first = this.#running[0];
    if (first?.command.how === 'exec' && status !== undefined) first.command.exit = status;
    this.#close(0, at);
  }

  /** The recording is over: what is not known to be over is reported as it is. */
  end(): void {
    this.settle();
    const done = this.#running.findIndex((one) => one.done !== undefined);
    if (done >= 0) this.#close(done, this.#running[done]?.done?.at);
    this.#close(0, undefined);
  }

  /** Which was typed at this prompt: the very same one, or else one like it. */
  #at(prompt: string): number | undefined {
    const exact = this.#running.findLastIndex((one) => one.prompt === prompt);
    const at = exact >= 0 ? exact : this.#running.findLastIndex((one) => one.prompt !== undefined && isAlike(prompt, one.prompt));
    return at < 0 ? undefined : at;
  }

  /** Where marks tell, a prompt that is merely like it may be that of another shell within. */
  #closeAt(index: number, at: number, prompt: string): void {
    const one = this.#running[index];
    if (one?.command.how === 'marked' && one.done === undefined && one.prompt !== prompt) this.#close(index + 1, at);
    else this.#close(index, at);
  }

  #close(from: number, at: number | undefined): void {
    for (const { command, done } of this.#running.splice(from).reverse()) {
      const until = done?.at ?? at;
      if (until !== undefined) command.until = Math.max(until, command.at);
      if (done?.exit !== undefined) command.exit = done.exit;
      if (done?.contradicted === true) command.how = 'derived';
      this.#report(command);
    }
  }
}
