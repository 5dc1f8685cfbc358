import { z } from 'zod';
import { looksLikePrompt, type Prompts } from './prompts.ts';
import type { ScreenLines } from './screen-lines.ts';

/** Output that pauses for this long (microseconds) waits for somebody. */
const PAUSE = 50_000;

type Tell = (at: number, text: string, prompt: string, line: string) => void;

/**
 * Commands of a recording whose input was not kept: lines that begin with a prompt at which output had paused before.
 * Seen twice, a prompt is one. Where there is any input, keys tell more, and nothing is found in this way.
 */
export class UntypedLines {
  static readonly schema = z.strictObject({
    typed: z.boolean(),
    shownAt: z.number(),
    prompt: z.string().optional(),
    first: z.strictObject({ at: z.number(), text: z.string(), prompt: z.string(), line: z.string() }).optional(),
  });
  readonly #prompts: Prompts;
  readonly #tell: Tell;
  #typed: boolean;
  #shownAt: number;
  /** Where output paused last. */
  #prompt: string | undefined;
  /** The first line at a prompt, until the prompt is seen again. */
  #first: { at: number; text: string; prompt: string; line: string } | undefined;

  constructor(prompts: Prompts, tell: Tell, state?: z.infer<typeof UntypedLines.schema>) {
    this.#prompts = prompts;
    this.#tell = tell;
    this.#typed = state?.typed ?? false;
    this.#shownAt = state?.shownAt ?? 0;
    this.#prompt = state?.prompt;
    this.#first = state?.first;
  }

  get looks(): boolean {
    return !this.#typed;
  }

  get awaits(): boolean {
    return this.#prompt !== undefined && !this.#typed;
  }

  typed(): void {
    this.#typed = true;
    this.#first = undefined;
  }

  /** More output comes at this time. */
  rest(lines: ScreenLines, now: number): void {
    if (this.#typed) return;
    const paused = now - this.#shownAt >= PAUSE;
    this.#shownAt = now;
    if (!paused || lines.alternate || lines.buffer.x === 0) return;
    const left = lines.left();
    if (!looksLikePrompt(left) || lines.right() !== '') return;
    this.#prompt = left;
    const first = this.#first;
    if (first?.prompt !== left) return;
    this.#first = undefined;
    this.#prompts.learn(left);
    this.#tell(first.at, first.text, first.prompt, first.line);
  }

  /** The cursor has left this row with a line feed. */
  leave(lines: ScreenLines, row: number, now: number): void {
    const prompt = this.#prompt;
    if (this.#typed || prompt === undefined || lines.alternate) return;
    this.#prompt = undefined;
    const line = lines.lineUpTo(row).trimEnd();
    const text = line.slice(prompt.length).trim();
    if (!line.startsWith(prompt) || text === '') return;
    if (this.#prompts.isOne(prompt)) this.#tell(now, text, prompt, line);
    else this.#first = { at: now, text: text.slice(0, 4096), prompt, line: line.slice(0, 4096) };
  }

  state(): z.infer<typeof UntypedLines.schema> {
    return {
      typed: this.#typed,
      shownAt: this.#shownAt,
      ...(this.#prompt === undefined ? {} : { prompt: this.#prompt }),
      ...(this.#first === undefined ? {} : { first: this.#first }),
    };
  }
}
