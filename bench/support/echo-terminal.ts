import { type IPty, spawn } from 'node-pty';
import { plainEnvironment } from '../../test/support/run.ts';
import type { Belongings } from '../../test/support/temp.ts';
import type { SshClient } from './ssh-client.ts';

const patienceMs = 20_000;
const letters = 'abcdefghijklmnopqrstuvwxyz';

/** A terminal in which the stock `ssh` runs a program that sends back every byte as it comes. */
export class EchoTerminal {
  readonly #pty: IPty;
  readonly #exited: Promise<void>;
  #ended = false;
  #said = '';
  #heard: ((text: string) => void) | undefined;
  #typed = 0;

  private constructor(pty: IPty) {
    this.#pty = pty;
    this.#exited = new Promise((resolve) =>
      pty.onExit(() => {
        this.#ended = true;
        resolve();
      }),
    );
    pty.onData((text) => {
      this.#said += text;
      this.#heard?.(this.#said);
    });
  }

  static async open(belongings: Belongings, client: SshClient, host: string): Promise<EchoTerminal> {
    // Raw mode at the far end, so that the echo is the program's and comes byte by byte.
    const command = 'stty raw -echo && printf ready && exec cat';
    const terminal = new EchoTerminal(
      spawn('ssh', client.args(host, command, ['-tt']), { name: 'xterm-256color', cols: 120, rows: 40, env: plainEnvironment() }),
    );
    belongings.add(() => terminal.close());
    await terminal.#until('ready');
    return terminal;
  }

  /** Types one key and returns the milliseconds until it stands in the terminal. */
  async echoMs(): Promise<number> {
    const key = letters.charAt(this.#typed % letters.length);
    this.#typed += 1;
    this.#said = '';
    const start = performance.now();
    const echoed = this.#until(key);
    this.#pty.write(key);
    await echoed;
    return performance.now() - start;
  }

  /** Ends ssh; returns at once when it has ended already. */
  async close(): Promise<void> {
    if (!this.#ended) this.#pty.kill('SIGTERM');
    await this.#exited;
  }

  #until(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no "${text}" in the terminal within ${patienceMs} ms; it says: ${this.#said}`)),
        patienceMs,
      );
      const look = (said: string) => {
        if (!said.includes(text)) return;
        this.#heard = undefined;
        clearTimeout(timer);
        resolve();
      };
      this.#heard = look;
      look(this.#said);
    });
  }
}
