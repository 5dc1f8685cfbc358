import { once } from 'node:events';
import ssh2 from 'ssh2';

/** One SSH connection with one shell on a PTY, whose echoes are timed. */
export class TypedSession {
  /** Told the milliseconds from each key to its echo. */
  onEcho: (ms: number) => void = () => undefined;
  /** Set when the connection ended although nobody closed it. */
  cutOff = false;
  readonly #client: ssh2.Client;
  readonly #shell: ssh2.ClientChannel;
  /** When the keys that are still on their way were typed, oldest first. */
  readonly #onTheirWay: number[] = [];

  private constructor(client: ssh2.Client, shell: ssh2.ClientChannel) {
    this.#client = client;
    this.#shell = shell;
    shell.on('data', (echo: Buffer) => {
      const now = performance.now();
      for (let key = 0; key < echo.length; key += 1) {
        const typed = this.#onTheirWay.shift();
        if (typed !== undefined) this.onEcho(now - typed);
      }
    });
    client.on('close', () => {
      this.cutOff = true;
    });
  }

  /** Resolves when the shell has greeted, so the whole way to the target is open. */
  static open(to: { port: number; user: string; privateKey: Buffer }): Promise<TypedSession> {
    return new Promise((resolve, reject) => {
      const client = new ssh2.Client();
      client.on('error', reject);
      client.on('close', () => reject(new Error('the connection was closed before the shell opened')));
      client.on('ready', () => {
        client.shell({ term: 'xterm-256color', cols: 120, rows: 40 }, (error, shell) => {
          if (error !== undefined) {
            client.end();
            reject(error);
            return;
          }
          shell.once('data', () => resolve(new TypedSession(client, shell)));
        });
      });
      client.connect({ host: '127.0.0.1', port: to.port, username: to.user, privateKey: to.privateKey, readyTimeout: 60_000 });
    });
  }

  /** Keys that have not come back. */
  get waiting(): number {
    return this.#onTheirWay.length;
  }

  type(): void {
    if (this.cutOff) return;
    this.#onTheirWay.push(performance.now());
    this.#shell.write('k');
  }

  /** Gives up on what has not come back. */
  forget(): void {
    this.#onTheirWay.length = 0;
  }

  async close(): Promise<void> {
    if (this.cutOff) return;
    const closed = once(this.#client, 'close');
    this.#client.end();
    await closed;
  }
}
