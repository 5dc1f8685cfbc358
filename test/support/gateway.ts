import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { tellingModule } from './held-memory.ts';
import { killIfThere } from './processes.ts';
import { ended, type Finished, plainEnvironment, type RunOptions, run, startProgram } from './run.ts';
import type { Belongings } from './temp.ts';
import { freePort } from './wait.ts';

const main = join(dirname(fileURLToPath(import.meta.url)), '../../gateway/main.ts');

/** One structured line of the gateway's log. */
export type LogLine = Readonly<Record<string, unknown>> & { msg?: string };

/** The configuration file as an object: JSON is YAML. */
export type Configuration = { [section: string]: unknown };

/** A running gateway, as an operator would run it: a configuration file, a data directory, a process. */
export interface Gateway {
  readonly pid: number;
  readonly host: string;
  readonly port: number;
  /** Of the HTTPS listener; 0 without one. */
  readonly httpsPort: number;
  readonly data: string;
  /** The path of its configuration, to be changed before a reload. A start writes it anew. */
  readonly config: string;
  /** Starts it again and kills it when `moment` resolves; says whether it was ready by then. */
  startAndKill(moment: Promise<unknown>): Promise<'ready' | 'not ready'>;
  /** Everything it wrote to standard error, over all of its lives. */
  log(): string;
  /** The first line of the log, past or to come, that fits. */
  logged(what: string, fits: (line: LogLine) => boolean, withinMs?: number): Promise<LogLine>;
  /** SIGTERM, then waits for the end; gives the exit status. */
  stop(): Promise<number | null>;
  /** SIGKILL, then waits for the end. */
  kill(): Promise<void>;
  /** Starts it again on the same port and the same data. */
  start(): Promise<void>;
  /** Bytes that its main thread holds, garbage apart; only with `tellsHeld`. Waits until it has the time to say so. */
  held(): Promise<number>;
}

export interface GatewayOptions {
  configuration: Configuration;
  /** The address on which it listens, if it is not 127.0.0.1. */
  address?: string;
  /** Listens for HTTPS as well, on loopback. */
  https?: boolean;
  data?: string;
  /** Most files it may have open, for tests with very many connections. */
  openFiles?: number;
  /** Lets `held` be asked. */
  tellsHeld?: boolean;
  env?: NodeJS.ProcessEnv;
}

export async function startGateway(belongings: Belongings, options: GatewayOptions): Promise<Gateway> {
  const directory = belongings.directory('gateway');
  const data = options.data ?? join(directory, 'data');
  const file = join(directory, 'sallyport.yaml');
  const at = options.address ?? '127.0.0.1';
  // Not one that the system picks: when it starts again, somebody else might have that one.
  const listen = `${at.includes(':') ? `[${at}]` : at}:${await freePort(at)}`;
  let address = { host: '', port: 0 };
  let httpsPort = options.https === true ? await freePort() : 0;
  let child: ReturnType<typeof startProgram> | undefined;
  let log = '';
  let asked = 0;
  const lines: LogLine[] = [];
  const listeners = new Set<(line: LogLine) => void>();

  async function start(): Promise<void> {
    const { gateway, ...sections } = options.configuration;
    const listens = { ssh: listen, ...(options.https === true ? { https: `127.0.0.1:${httpsPort}` } : {}) };
    writeFileSync(file, JSON.stringify({ gateway: { ...(gateway as object | undefined), listen: listens }, ...sections }, null, 2));
    const telling = options.tellsHeld === true ? ['--import', tellingModule] : [];
    const command = [process.execPath, ...telling, main, 'serve', '--config', file, '--data', data];
    const limited =
      options.openFiles === undefined ? command : ['prlimit', `--nofile=${options.openFiles}:${options.openFiles}`, ...command];
    const env = plainEnvironment({ ...options.env, ...(options.tellsHeld === true ? { SALLYPORT_TEST_TELLS: 'asked' } : {}) });
    asked = 0;
    child = startProgram(limited[0] as string, limited.slice(1), { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const starting = child;
    if (starting.stdout === null || starting.stderr === null) throw new Error('the gateway has no output');
    createInterface({ input: starting.stderr }).on('line', (line) => {
      log += `${line}\n`;
      const parsed = parseLogLine(line);
      if (parsed === undefined) return;
      lines.push(parsed);
      for (const listener of listeners) listener(parsed);
    });
    const ready = await Promise.race([
      readyLines(starting.stdout, options.https === true ? 2 : 1),
      ended(starting).then(({ status }) => `ended with ${status}`),
      delay(90_000, 'it was not ready in 90 seconds', { ref: false }),
    ]);
    const found = /^ssh (.+):(\d+)$/m.exec(ready);
    httpsPort = Number(/^https .+:(\d+) certificate SHA-256 [0-9A-F:]{95}$/m.exec(ready)?.[1] ?? 0);
    if (found === null) throw new Error(`the gateway did not start: ${ready}\n${log}`);
    address = { host: (found[1] as string).replace(/^\[|\]$/g, ''), port: Number(found[2]) };
  }

  async function end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    const ending = child;
    child = undefined;
    if (ending === undefined) return null;
    if (ending.exitCode !== null || ending.signalCode !== null) {
      throw new Error(`the gateway ended by itself, with ${ending.signalCode ?? ending.exitCode}:\n${log}`);
    }
    ending.kill(signal);
    // A gateway that does not drain is a finding of its own; it must not hold up the others.
    const patience = setTimeout(() => ending.pid !== undefined && killIfThere(ending.pid), 60_000);
    const { status } = await ended(ending);
    clearTimeout(patience);
    return status;
  }

  belongings.add(async () => {
    await end('SIGKILL');
  });
  function logged(what: string, fits: (line: LogLine) => boolean, withinMs = 45_000): Promise<LogLine> {
    return new Promise((resolve, reject) => {
      const known = lines.find(fits);
      if (known !== undefined) {
        resolve(known);
        return;
      }
      const look = (line: LogLine): void => {
        if (!fits(line)) return;
        clearTimeout(timer);
        listeners.delete(look);
        resolve(line);
      };
      const timer = setTimeout(() => {
        listeners.delete(look);
        reject(new Error(`the gateway logged no ${what} within ${withinMs} ms:\n${log}`));
      }, withinMs);
      listeners.add(look);
    });
  }

  await start();
  return {
    get pid() {
      if (child?.pid === undefined) throw new Error('the gateway is not running');
      return child.pid;
    },
    get host() {
      return address.host;
    },
    get port() {
      return address.port;
    },
    get httpsPort() {
      return httpsPort;
    },
    data,
    config: file,
    log: () => log,
    logged,
    stop: () => end('SIGTERM'),
    kill: async () => {
      await end('SIGKILL');
    },
    startAndKill: async (moment) => {
      const starting = startProgram(process.execPath, [main, 'serve', '--config', file, '--data', data], {
        env: plainEnvironment(options.env),
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      belongings.add(() => void starting.kill('SIGKILL'));
      let said = '';
      starting.stdout?.on('data', (text: Buffer) => {
        said += text.toString();
      });
      const over = ended(starting);
      await moment;
      starting.kill('SIGKILL');
      await over;
      return said === '' ? 'not ready' : 'ready';
    },
    start,
    held: async () => {
      if (options.tellsHeld !== true || child === undefined) throw new Error('this gateway cannot be asked what it holds');
      asked += 1;
      const answer = `held ${child.pid} ${asked}`;
      child.kill('SIGUSR2');
      return Number((await logged(answer, ({ msg }) => msg === answer, 30_000)).held);
    },
  };
}

/** Runs one command of the command line to its end. */
export function sallyport(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return run(process.execPath, [main, ...args], options);
}

async function readyLines(stdout: NodeJS.ReadableStream, count: number): Promise<string> {
  const reader = createInterface({ input: stdout });
  const lines: string[] = [];
  for await (const line of reader) {
    lines.push(line);
    if (lines.length === count) break;
  }
  stdout.resume();
  return lines.join('\n');
}

function parseLogLine(line: string): LogLine | undefined {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return undefined; // Node's own warnings are not JSON
  }
}
