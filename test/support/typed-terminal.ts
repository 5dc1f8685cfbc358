import pty from 'node-pty';
import type { CastEvent } from '../../contract/replay/cast-event.ts';
import { Emulation } from '../../contract/replay/screen/emulation.ts';
import type { Belongings } from './temp.ts';

/** Until the screen shows what it should; a program that does not is shown in the failure. */
const PATIENCE = 45_000;

/** A program in a real terminal, typed at, with everything that happens as a recording has it. */
export class TypedTerminal {
  readonly events: CastEvent[] = [];
  readonly #terminal: pty.IPty;
  readonly #screen: Emulation;
  readonly #began = performance.now();
  #pieces = 0;
  #changed: () => void = () => undefined;

  private constructor(terminal: pty.IPty, screen: Emulation) {
    this.#terminal = terminal;
    this.#screen = screen;
    terminal.onData((text) => {
      this.events.push({ kind: 'data', at: this.#now(), stream: 'o', text });
      screen.show(text);
      this.#pieces += 1;
      this.#changed();
    });
  }

  static open(belongings: Belongings, [program, ...args]: readonly [string, ...string[]], env: Record<string, string> = {}): TypedTerminal {
    const home = belongings.directory('typed');
    const all = { PATH: process.env.PATH ?? '', HOME: home, LANG: 'C.UTF-8', TERM: 'xterm-256color', PS1: '$ ', ...env };
    const terminal = pty.spawn(program, args, { cols: 80, rows: 24, cwd: home, env: all });
    const typed = new TypedTerminal(terminal, new Emulation(80, 24));
    belongings.add(() => terminal.kill('SIGKILL'));
    return typed;
  }

  /** What stands left of the cursor on its row. */
  get line(): string {
    const buffer = this.#screen.core.buffers.active;
    return buffer.lines.get(buffer.ybase + buffer.y)?.translateToString(false, 0, buffer.x) ?? '';
  }

  /** Whether a program has the screen to itself. */
  get alternate(): boolean {
    return this.#screen.core.buffers.active === this.#screen.core.buffers.alt;
  }

  /** Waits until the line with the cursor ends like this. */
  async shows(end: string, after = 0): Promise<void> {
    await this.until(JSON.stringify(end), () => this.#pieces > after && this.line.endsWith(end));
  }

  async until(what: string, isSo: () => boolean): Promise<void> {
    const deadline = performance.now() + PATIENCE;
    while (!isSo()) {
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`${what} was waited for, and ${JSON.stringify(this.line)} is there`);
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
        timer = setTimeout(resolve, left);
      });
      clearTimeout(timer);
    }
  }

  /** Types, and waits for what the line with the cursor ends with then; without it, for nothing. */
  async type(keys: string, then?: string): Promise<void> {
    const before = this.#pieces;
    this.events.push({ kind: 'data', at: this.#now(), stream: 'i', text: keys });
    this.#terminal.write(keys);
    if (then !== undefined) await this.shows(then, before);
  }

  /** What is typed here is a secret, and not recorded but for Enter. */
  async typeSecret(secret: string, then: string): Promise<void> {
    const at = this.#now();
    const before = this.#pieces;
    this.events.push({ kind: 'note', at, note: { t: 'redact', s: 'i' } }, { kind: 'data', at, stream: 'i', text: '\r' });
    this.#terminal.write(`${secret}\r`);
    await this.shows(then, before);
  }

  #now(): number {
    return Math.round((performance.now() - this.#began) * 100) * 10;
  }
}
