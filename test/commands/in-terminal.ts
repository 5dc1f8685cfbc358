import pty from 'node-pty';
import { Emulation } from '../../contract/replay/screen/emulation.ts';
import { textOf } from '../replay/memory-driver.ts';

/** A program in a real pseudo-terminal, as a person has it in front of them. */
export class InTerminal {
  /** Everything it has written so far. */
  screen = '';
  readonly finished: Promise<number>;
  readonly #pty: pty.IPty;
  readonly #watchers = new Set<() => void>();
  readonly #emulation: Emulation;

  constructor(program: string, words: string[], size: { cols?: number; rows?: number } = {}) {
    this.#emulation = new Emulation(size.cols ?? 80, size.rows ?? 24);
    this.#pty = pty.spawn(program, words, {
      cols: size.cols ?? 80,
      rows: size.rows ?? 24,
      name: 'xterm-256color',
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    });
    this.#pty.onData((data) => {
      this.screen += data;
      this.#emulation.show(data);
      for (const watcher of this.#watchers) watcher();
    });
    this.finished = new Promise((resolve) => this.#pty.onExit(({ exitCode }) => resolve(exitCode)));
  }

  /** What a person sees in it now, with what was scrolled away. */
  get seen(): string {
    return textOf(this.#emulation);
  }

  type(keys: string): void {
    this.#pty.write(keys);
  }

  kill(signal: string): void {
    this.#pty.kill(signal);
  }

  /** Resolves when the text has been written after `from`, with the place behind it. */
  async shows(text: string, from = 0): Promise<number> {
    for (;;) {
      const at = this.screen.indexOf(text, from);
      if (at !== -1) return at + text.length;
      if (!(await this.#more()) && !this.screen.includes(text, from))
        throw new Error(`it ended without showing ${JSON.stringify(text)}: ${JSON.stringify(this.screen.slice(from))}`);
    }
  }

  /** Resolves when what a person sees in it is like this. */
  async looks(like: (seen: string) => boolean): Promise<void> {
    while (!like(this.seen))
      if (!(await this.#more()) && !like(this.seen)) throw new Error(`it ended, and looked like this:\n${this.seen}`);
  }

  /** False when nothing more comes. */
  async #more(): Promise<boolean> {
    const more = new Promise<'more'>((resolve) => {
      const watcher = () => {
        this.#watchers.delete(watcher);
        resolve('more');
      };
      this.#watchers.add(watcher);
    });
    return (await Promise.race([more, this.finished])) === 'more';
  }
}

/** Runs a program in a terminal to its end. */
export async function inTerminal(
  program: string,
  words: string[],
  size: { cols?: number; rows?: number } = {},
): Promise<{ code: number; screen: string }> {
  const terminal = new InTerminal(program, words, size);
  return { code: await terminal.finished, screen: terminal.screen };
}
