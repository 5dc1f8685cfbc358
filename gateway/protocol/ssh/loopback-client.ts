import ssh2 from 'ssh2';
import { SallyportError } from '../../base/errors.ts';
import { fingerprintOf } from './target-connection.ts';

/** How one gets in: as any SSH client would. */
export interface LoopbackLogin {
  readonly host: string;
  readonly port: number;
  readonly hostKeyFingerprint: string;
  readonly user: string;
  readonly privateKey: string;
}

export interface CommandOutcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | undefined;
}

/** Runs one command through a gateway: for the sessions that the demo begins with. */
export function runThroughGateway({ command, ...login }: LoopbackLogin & { readonly command: string }): Promise<CommandOutcome> {
  return connected(login, (client, done, failed) => {
    client.exec(command, (error, channel) => {
      if (error) return failed(error);
      const stdout: Buffer[] = [];
      const stderr: Buffer[] = [];
      let status: number | undefined;
      channel.on('data', (bytes: Buffer) => stdout.push(bytes));
      channel.stderr.on('data', (bytes: Buffer) => stderr.push(bytes));
      channel.on('exit', (code: number | null) => {
        status = code ?? undefined;
      });
      channel.on('close', () => done({ stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString(), status }));
      channel.end();
    });
  });
}

/** Puts a file there over SFTP. Fails where the target has no server for that. */
export function putThroughGateway({
  path,
  content,
  ...login
}: LoopbackLogin & { readonly path: string; readonly content: string }): Promise<void> {
  return connected(login, (client, done, failed) => {
    client.sftp((error, sftp) => {
      if (error) return failed(error);
      sftp.writeFile(path, content, (problem) => (problem ? failed(problem) : done()));
    });
  });
}

export interface TypedLines {
  readonly lines: readonly string[];
  readonly cols: number;
  readonly rows: number;
  /** Between two keys. */
  readonly keyMillis: number;
  readonly signal: AbortSignal;
}

/** The shell is taken to wait for the next line when it has said nothing for so long, or goes on saying something. */
const QUIET_MILLIS = 350;
const PATIENCE_MILLIS = 5000;

/** Types lines at a terminal, each when the one before it has been answered, and then goes. */
export function typeThroughGateway({ lines, cols, rows, keyMillis, signal, ...login }: LoopbackLogin & TypedLines): Promise<void> {
  return connected(login, (client, done, failed) => {
    client.shell({ term: 'xterm-256color', cols, rows }, (error, channel) => {
      if (error) return failed(error);
      // Undefined: since then it has said nothing yet.
      let heard: number | undefined;
      let entered = performance.now();
      let waits = true;
      const left = `${lines.join('\r')}\r`.split('');
      channel.on('data', () => {
        heard = performance.now();
      });
      channel.stderr.resume();
      const typing = setInterval(() => {
        const now = performance.now();
        if (waits && now - entered < PATIENCE_MILLIS && (heard === undefined || now - heard < QUIET_MILLIS)) return;
        const key = left.shift();
        if (key === undefined) return;
        channel.write(key);
        waits = key === '\r';
        if (waits) [entered, heard] = [now, undefined];
      }, keyMillis);
      const leave = (): void => channel.close();
      signal.addEventListener('abort', leave, { once: true });
      if (signal.aborted) leave();
      channel.on('close', () => {
        clearInterval(typing);
        signal.removeEventListener('abort', leave);
        done();
      });
    });
  });
}

function connected<T>(
  { host, port, hostKeyFingerprint, user, privateKey }: LoopbackLogin,
  use: (client: ssh2.Client, done: (outcome: T) => void, failed: (error: Error) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    const failed = (error: Error): void => {
      client.destroy();
      reject(new SallyportError('INTERNAL', `a session of the demo failed: ${error.message}`, { cause: error }));
    };
    const done = (outcome: T): void => {
      client.end();
      resolve(outcome);
    };
    client.on('error', failed);
    client.on('ready', () => use(client, done, failed));
    client.connect({
      host,
      port,
      username: user,
      privateKey,
      hostVerifier: (key: Buffer) => fingerprintOf(key) === hostKeyFingerprint,
    });
  });
}
