import ssh2 from 'ssh2';
import { SallyportError } from '../../base/errors.ts';
import { fingerprintOf } from './target-connection.ts';

export interface LoopbackCommand {
  readonly host: string;
  readonly port: number;
  readonly hostKeyFingerprint: string;
  readonly user: string;
  readonly privateKey: string;
  readonly command: string;
}

export interface CommandOutcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | undefined;
}

/** Runs one command through a gateway, as any SSH client would: for the demo's first session. */
export function runThroughGateway(request: LoopbackCommand): Promise<CommandOutcome> {
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    const failed = (error: Error) => {
      client.destroy();
      reject(new SallyportError('INTERNAL', `the demo's first session failed: ${error.message}`, { cause: error }));
    };
    client.on('error', failed);
    client.on('ready', () => {
      client.exec(request.command, (error, channel) => {
        if (error) return failed(error);
        const stdout: Buffer[] = [];
        const stderr: Buffer[] = [];
        let status: number | undefined;
        channel.on('data', (bytes: Buffer) => stdout.push(bytes));
        channel.stderr.on('data', (bytes: Buffer) => stderr.push(bytes));
        channel.on('exit', (code: number | null) => {
          status = code ?? undefined;
        });
        channel.on('close', () => {
          client.end();
          resolve({ stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString(), status });
        });
        channel.end();
      });
    });
    client.connect({
      host: request.host,
      port: request.port,
      username: request.user,
      privateKey: request.privateKey,
      hostVerifier: (key: Buffer) => fingerprintOf(key) === request.hostKeyFingerprint,
    });
  });
}
