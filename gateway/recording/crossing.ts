import type { Frame } from '../../contract/frame-codec.ts';
import type { PerStream } from './cast-renderer.ts';
import { SecretPrompt } from './secret-prompt.ts';

export interface Terminal {
  cols: number;
  rows: number;
  type: string;
}

/** What crosses a channel: counts it, follows its terminal, and leaves out what must not be recorded. */
export class Crossing {
  /** Bytes that crossed, recorded or only counted; a secret that was typed at a prompt is not among them. */
  readonly bytes: PerStream = { i: 0, o: 0, e: 0 };
  readonly #input: 'recorded' | 'counted';
  #terminal: Terminal | undefined;
  #secretPrompt: SecretPrompt | undefined;

  /** `input` is about what is typed at a terminal; the input of anything else is its content and always recorded. */
  constructor(input: 'recorded' | 'counted') {
    this.#input = input;
  }

  /** Whether what is typed next is a secret, or the rest of one. */
  get withholding(): boolean {
    return this.#secretPrompt?.withholding ?? false;
  }

  /** The terminal with its present size, once there is one. */
  get terminal(): Terminal | undefined {
    return this.#terminal;
  }

  setTerminal(terminal: Terminal): void {
    this.#terminal = { ...terminal };
    this.#secretPrompt ??= new SecretPrompt();
  }

  /** The frames as they may be written. */
  recordable(frames: readonly Frame[]): readonly Frame[] {
    const prompt = this.#secretPrompt;
    if (prompt === undefined) {
      for (const frame of frames) if (frame.kind === 'data') this.bytes[frame.stream] += frame.bytes.length;
      return frames;
    }
    const kept: Frame[] = [];
    for (const frame of frames) {
      if (frame.kind === 'data' && frame.stream === 'i') {
        kept.push(...this.#typed(prompt, frame));
        continue;
      }
      kept.push(frame);
      if (frame.kind === 'data') {
        this.bytes[frame.stream] += frame.bytes.length;
        prompt.output(frame.bytes);
      } else if (frame.kind === 'resize' && this.#terminal !== undefined) {
        this.#terminal = { ...this.#terminal, cols: frame.cols, rows: frame.rows };
      }
    }
    return kept;
  }

  #typed(prompt: SecretPrompt, frame: Extract<Frame, { kind: 'data' }>): readonly Frame[] {
    if (this.#input === 'counted') {
      this.bytes.i += frame.bytes.length;
      return [];
    }
    const { frames, recordedBytes } = prompt.input(frame.at, frame.bytes);
    this.bytes.i += recordedBytes;
    return frames;
  }
}
