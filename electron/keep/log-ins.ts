import { z } from 'zod';
import { DesktopError } from '../base/desktop-error.ts';
import { KeptFile } from './kept-file.ts';
import type { Secrets } from './secrets.ts';

const keptLogIn = z.strictObject({ token: z.string(), operator: z.string(), roles: z.array(z.string()), expires: z.string() });
export type LogIn = z.infer<typeof keptLogIn>;

const keptLogIns = z.record(z.uuid(), keptLogIn);

/**
 * Log-ins by the id of their gateway. In memory, and on the disk only sealed: where the key store cannot be used they end
 * with the app.
 */
export class LogIns {
  readonly #file: KeptFile;
  readonly #secrets: Secrets;
  readonly #now: () => number;
  readonly #kept: Map<string, LogIn>;

  private constructor(file: KeptFile, secrets: Secrets, now: () => number, kept: Map<string, LogIn>) {
    this.#file = file;
    this.#secrets = secrets;
    this.#now = now;
    this.#kept = kept;
  }

  /** What was kept and cannot be opened is as if it had run out, and `tell` is told. */
  static async open(path: string, secrets: Secrets, now: () => number, tell: (what: string) => void): Promise<LogIns> {
    const file = new KeptFile(path);
    const sealed = await file.read();
    const kept = sealed === undefined ? {} : await opened(sealed, secrets, tell);
    return new LogIns(file, secrets, now, new Map(Object.entries(kept)));
  }

  /** Undefined when there is none that is still good. */
  of(gateway: string): LogIn | undefined {
    const logIn = this.#kept.get(gateway);
    return logIn !== undefined && Date.parse(logIn.expires) > this.#now() ? logIn : undefined;
  }

  async keep(gateway: string, logIn: LogIn): Promise<void> {
    this.#kept.set(gateway, logIn);
    await this.#write();
  }

  async drop(gateway: string): Promise<void> {
    if (this.#kept.delete(gateway)) await this.#write();
  }

  async #write(): Promise<void> {
    for (const gateway of this.#kept.keys()) if (this.of(gateway) === undefined) this.#kept.delete(gateway);
    if (this.#kept.size === 0) return this.#file.remove();
    try {
      await this.#file.write(await this.#secrets.seal(JSON.stringify(Object.fromEntries(this.#kept))));
    } catch (thrown) {
      // Then what is on the disk is older than what is true.
      if (!(thrown instanceof DesktopError) || thrown.code !== 'KEY_STORE_UNAVAILABLE') throw thrown;
      await this.#file.remove();
    }
  }
}

async function opened(sealed: Buffer, secrets: Secrets, tell: (what: string) => void): Promise<Record<string, LogIn>> {
  try {
    return keptLogIns.parse(JSON.parse(await secrets.open(sealed)));
  } catch (thrown) {
    if (!(thrown instanceof DesktopError || thrown instanceof z.ZodError || thrown instanceof SyntaxError)) throw thrown;
    tell('the log-ins that were kept on this device could not be opened, and are over');
    return {};
  }
}
