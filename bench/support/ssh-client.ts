import { spawn } from 'node:child_process';
import { closeSync, createReadStream, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { plainEnvironment, run } from '../../test/support/run.ts';

/** A host as the client's configuration names it. */
export interface SshHost {
  readonly name: string;
  readonly port: number;
  readonly user: string;
  /** Path of the private key. */
  readonly key: string;
  /** Name of another host of the same configuration to jump over. */
  readonly jump?: string;
}

/** The stock `ssh` with a configuration of its own, which the processes that it starts for ProxyJump read as well. */
export class SshClient {
  readonly #configuration: string;

  /** `ciphers` as `Ciphers` in ssh_config; without it the client offers what it offers by default. */
  constructor(directory: string, name: string, hosts: readonly SshHost[], options: { ciphers?: string } = {}) {
    this.#configuration = join(directory, `${name}.ssh_config`);
    const common = [
      'Host *',
      '  HostName 127.0.0.1',
      '  IdentitiesOnly yes',
      '  IdentityAgent none',
      '  BatchMode yes',
      '  LogLevel ERROR',
      '  ControlMaster no',
      '  ControlPath none',
      `  UserKnownHostsFile ${join(directory, `${name}.known_hosts`)}`,
      '  GlobalKnownHostsFile /dev/null',
      '  StrictHostKeyChecking accept-new',
      // OpenSSH 9.5 and later hold keystrokes back to hide their rhythm, which would be all that is measured.
      '  IgnoreUnknown ObscureKeystrokeTiming',
      '  ObscureKeystrokeTiming no',
      ...(options.ciphers === undefined ? [] : [`  Ciphers ${options.ciphers}`]),
    ];
    const each = hosts.flatMap((host) => [
      `Host ${host.name}`,
      // All of them are on one address: the key of each stands under its own name.
      `  HostKeyAlias ${host.name}`,
      `  Port ${host.port}`,
      `  User ${host.user}`,
      `  IdentityFile ${host.key}`,
      ...(host.jump === undefined ? [] : [`  ProxyJump ${host.jump}`]),
    ]);
    writeFileSync(this.#configuration, [...each, ...common, ''].join('\n'));
  }

  /** Arguments for `ssh`. */
  args(host: string, command: string, flags: readonly string[] = []): string[] {
    return ['-F', this.#configuration, ...flags, host, command];
  }

  /** Runs a command and returns the seconds from starting `ssh` to its end. Output goes nowhere; anything but exit 0 rejects. */
  async seconds(host: string, command: string, input = '/dev/null'): Promise<number> {
    const stdin = openSync(input, 'r');
    try {
      const start = performance.now();
      const child = spawn('ssh', this.args(host, command), { stdio: [stdin, 'ignore', 'pipe'], env: plainEnvironment() });
      const ended = new Promise<number>((resolve, reject) => {
        let said = '';
        child.stderr?.on('data', (chunk: Buffer) => {
          said += chunk.toString();
        });
        child.once('error', reject);
        child.once('exit', (status) => {
          const end = performance.now();
          // Standard error may still hold what it said: wait for it only when that is needed.
          if (status === 0) resolve((end - start) / 1000);
          else child.once('close', () => reject(new Error(`ssh ${host} ${command} exited ${status}: ${said}`)));
        });
      });
      return await ended;
    } finally {
      closeSync(stdin);
    }
  }

  /** Runs a command and hands over its standard output; standard input comes from a file or is empty. */
  async output(host: string, command: string, onStdout: (chunk: Buffer) => unknown, input?: string): Promise<void> {
    const options = { onStdout: (chunk: Buffer) => void onStdout(chunk), timeoutMs: 300_000 };
    const done = await run('ssh', this.args(host, command), input === undefined ? options : { ...options, input: createReadStream(input) });
    if (done.status !== 0) throw new Error(`ssh ${host} ${command} exited ${done.status}: ${done.stderr}`);
  }

  /** The ciphers that a connection to `host` really negotiates, one a hop, as the client saw them (server to client). */
  async negotiated(host: string): Promise<string[]> {
    const done = await run('ssh', this.args(host, 'true', ['-v']));
    if (done.status !== 0) throw new Error(`ssh -v ${host} true exited ${done.status}: ${done.stderr}`);
    return [...done.stderr.matchAll(/kex: server->client cipher: (\S+)/g)].map((match) => match[1] ?? '');
  }
}
