import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** How a program ended and what it said. */
export interface Finished {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: Buffer;
  stderr: string;
}

export interface RunOptions {
  /** Bytes for standard input, then end of file; without it standard input is empty. */
  input?: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** Takes standard output instead of collecting it, for outputs that should not be held in memory. */
  onStdout?: (chunk: Buffer) => void;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** After this long the program is killed and the run rejects with what it said; by default before the test does. */
  timeoutMs?: number;
}

/** What every program of the tests inherits: no agent, no terminal, no settings of whoever runs the tests. */
export function plainEnvironment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  return { PATH, HOME: '/nonexistent', LANG: 'C.UTF-8', ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }), ...extra };
}

/** Runs a program to its end. Rejects when it can't be started or takes too long; never because of its exit status. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const child = startProgram(command, args, { env: options.env ?? plainEnvironment(), cwd: options.cwd, stdio: 'pipe' });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', options.onStdout ?? ((chunk: Buffer) => stdout.push(chunk)));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  const overdue = deadline(child, options.timeoutMs ?? 200_000);
  const [[status, signal]] = (await Promise.all([once(child, 'close'), feed(child, options.input)])) as [
    [number | null, NodeJS.Signals | null],
    undefined,
  ];
  const said = Buffer.concat(stderr).toString();
  if (overdue.stop()) throw new Error(`${command} ${args.join(' ')} took longer than ${overdue.limitMs} ms; it said: ${said}`);
  return { status, signal, stdout: Buffer.concat(stdout), stderr: said };
}

/** Starts a program; a missing one is named together with what to do. */
export function startProgram(
  command: string,
  args: readonly string[],
  options: Omit<SpawnOptions, 'cwd'> & { cwd?: string | undefined },
): ChildProcess {
  const { cwd, ...rest } = options;
  const child = spawn(command, args, cwd === undefined ? rest : { ...rest, cwd });
  child.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') error.message = `${command} is not installed: run "node .ci/test-tools.mjs" first (${error.message})`;
  });
  return child;
}

/** Resolves with how the child ended, also when it already has. */
export async function ended(child: ChildProcess): Promise<{ status: number | null; signal: NodeJS.Signals | null }> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return { status: child.exitCode, signal: child.signalCode };
}

async function feed(child: ChildProcess, input: RunOptions['input']): Promise<void> {
  if (child.stdin === null) return;
  const source =
    input === undefined ? [] : typeof input === 'string' ? [Buffer.from(input)] : input instanceof Uint8Array ? [input] : input;
  try {
    await pipeline(Readable.from(source, { objectMode: false }), child.stdin);
  } catch (thrown) {
    // A program may end without reading all of its input (`head -c 1`, a refused login): that is its business.
    const code = (thrown as NodeJS.ErrnoException).code;
    if (code !== 'EPIPE' && code !== 'ERR_STREAM_PREMATURE_CLOSE' && code !== 'ECONNRESET' && code !== 'ENOENT') throw thrown;
  }
}

function deadline(child: ChildProcess, limitMs: number): { limitMs: number; stop(): boolean } {
  let passed = false;
  const timer = setTimeout(() => {
    passed = true;
    child.kill('SIGKILL');
  }, limitMs);
  return {
    limitMs,
    stop: () => {
      clearTimeout(timer);
      return passed;
    },
  };
}
