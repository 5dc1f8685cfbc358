import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SessionRow } from '../../contract/session.ts';
import { type Configuration, type Gateway, sallyport, startGateway } from '../../test/support/gateway.ts';
import type { KeyPair } from '../../test/support/keys.ts';
import { forgetPeak, processFacts } from '../../test/support/processes.ts';
import type { Belongings } from '../../test/support/temp.ts';
import { until } from '../../test/support/wait.ts';
import type { SshHost } from './ssh-client.ts';

/** What the gateway reaches: an SSH server on loopback that `credential` opens for `login`. */
export interface BenchTarget {
  readonly name: string;
  readonly port: number;
  readonly hostKey: KeyPair;
  readonly login: string;
  readonly credential: KeyPair;
}

export interface GatewayOptions {
  readonly targets: readonly BenchTarget[];
  /** Opens the gateway for the one principal of the benchmark. */
  readonly clientKey: KeyPair;
  /** Directory for a CPU profile of each of the gateway's threads, written when it stops. */
  readonly profile?: string | undefined;
  /** A data directory that is there already, instead of a fresh one. */
  readonly data?: string;
  /** More settings of the section `recording`. */
  readonly recording?: Configuration;
}

/** A gateway with a fresh data directory in a process of its own, as a user would start it. */
export class BenchGateway {
  /** From starting the process to its line that says it is ready. */
  readonly startSeconds: number;
  readonly #gateway: Gateway;
  readonly #clientKey: KeyPair;

  private constructor(gateway: Gateway, clientKey: KeyPair, startSeconds: number) {
    this.#gateway = gateway;
    this.#clientKey = clientKey;
    this.startSeconds = startSeconds;
  }

  static async start(belongings: Belongings, options: GatewayOptions): Promise<BenchGateway> {
    const start = performance.now();
    const gateway = await startGateway(belongings, {
      configuration: configuration(options),
      ...(options.data === undefined ? {} : { data: options.data }),
      env: options.profile === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${options.profile}` },
    });
    return new BenchGateway(gateway, options.clientKey, (performance.now() - start) / 1000);
  }

  get port(): number {
    return this.#gateway.port;
  }

  get data(): string {
    return this.#gateway.data;
  }

  /** SIGTERM, and the wait for its end. */
  async stop(): Promise<void> {
    const status = await this.#gateway.stop();
    if (status !== 0) throw new Error(`the gateway ended with ${status}:\n${this.#gateway.log().slice(-4000)}`);
  }

  /** The gateway as a host of an ssh client; the user name says which target. */
  host(name: string, target: string): SshHost {
    return { name, port: this.port, user: target, key: this.#clientKey.path };
  }

  /** Bytes resident now. */
  residentBytes(): number {
    return processFacts(this.#gateway.pid).resident;
  }

  /** The most bytes that were resident since the last call. */
  peakSince(): number {
    const peak = processFacts(this.#gateway.pid).residentPeak;
    forgetPeak(this.#gateway.pid);
    return peak;
  }

  /** Seconds of processor time that all threads of the gateway have used so far. */
  processorSeconds(): number {
    const stat = readFileSync(`/proc/${this.#gateway.pid}/stat`, 'utf8');
    // proc(5): fields 14 and 15 are utime and stime in clock ticks, of which Linux shows user space 100 a second.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /** Resolves when no stretch of journal is left, so everything that was recorded is sealed. */
  async sealed(): Promise<void> {
    await until('every journal is sealed', () => (this.#journals().length === 0 ? true : undefined), { withinMs: 300_000, everyMs: 5 });
  }

  /** The session that opened last, once its close is recorded. */
  async latestSession(): Promise<SessionRow> {
    return until(
      'the session is closed',
      async () => {
        const latest = (await this.sessions()).at(-1);
        return latest === undefined || latest.state === 'live' ? undefined : latest;
      },
      { withinMs: 30_000, everyMs: 100 },
    );
  }

  /** Every session of this gateway, in the order of their opening. */
  async sessions(): Promise<SessionRow[]> {
    const done = await sallyport(this.reading(['sessions', '--json']));
    if (done.status !== 0) throw new Error(`sallyport sessions exited ${done.status}: ${done.stderr}`);
    const rows = done.stdout
      .toString()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as SessionRow);
    // The ids are UUIDv7: they sort by the time they were made.
    return rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Arguments of a reading command on this gateway's data directory. */
  reading(args: readonly string[]): string[] {
    return [...args, '--data', this.data];
  }

  #journals(): string[] {
    try {
      const names = readdirSync(join(this.data, 'journal'), { recursive: true, encoding: 'utf8' });
      return names.filter((name) => name.endsWith('.journal'));
    } catch (error) {
      // A channel's directory goes away with its last journal, perhaps while it is being listed.
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ['to be looked at again'];
      throw error;
    }
  }
}

function configuration(options: GatewayOptions): Configuration {
  return {
    humans: [{ name: 'bench@example.com', 'ssh-keys': [options.clientKey.publicLine] }],
    targets: options.targets.map((target) => ({
      name: target.name,
      kind: 'ssh',
      address: `127.0.0.1:${target.port}`,
      'host-key': target.hostKey.fingerprint,
      login: target.login,
      credential: { file: target.credential.path },
      allow: ['bench@example.com'],
    })),
    // A benchmark comes from one address under one name, thousands of times.
    limits: { sessions: 5000, 'sessions-per-principal': 5000, unauthenticated: 500 },
    recording: { reserve: '64MiB', ...options.recording },
  };
}
