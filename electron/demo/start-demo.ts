import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DesktopError } from '../base/desktop-error.ts';
import type { DemoGateway } from '../bridge/gateway-answers.ts';

const PATIENCE_MILLIS = 60_000;
/** The demo says less than this before it is ready. */
const MOST_CHARACTERS = 64 * 1024;

export interface RunningDemo extends DemoGateway {
  stop(): void;
}

/** How the demo of a checkout is started; undefined where there is no checkout, or none that is installed. */
export function demoCommand(checkout: string): { readonly program: string; readonly args: readonly string[] } | undefined {
  const program = join(checkout, 'node_modules', '.bin', process.platform === 'win32' ? 'node.exe' : 'node');
  const main = join(checkout, 'gateway', 'main.ts');
  return existsSync(program) && existsSync(main) ? { program, args: [main, 'demo'] } : undefined;
}

/** Starts it and waits until it says where it is. Throws GATEWAY_UNREACHABLE with what it said instead. */
export function startDemo(command: NonNullable<ReturnType<typeof demoCommand>>, folder: string): Promise<RunningDemo> {
  const args = [...command.args, '--data', folder];
  // Its console is this app: it is told not to open one of its own.
  const child = spawn(command.program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, SALLYPORT_NO_BROWSER: '1' } });
  return new Promise((resolve, reject) => {
    let said = '';
    const failed = (why: string): void => {
      child.kill();
      const words = said.trim().split('\n').slice(-5).join('\n');
      reject(new DesktopError('GATEWAY_UNREACHABLE', `The demo gateway ${why}${words === '' ? '' : `: ${words}`}`));
    };
    const timer = setTimeout(() => failed('was not ready in a minute'), PATIENCE_MILLIS);
    const hear = (piece: Buffer): void => {
      said = `${said}${piece.toString('utf8')}`.slice(-MOST_CHARACTERS);
      const found = demoIn(said);
      if (found === undefined) return;
      clearTimeout(timer);
      child.stdout.off('data', hear).resume();
      child.stderr.off('data', hear).resume();
      resolve({ ...found, stop: () => stop(child) });
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('error', (error) => failed(`could not be started (${error.message})`));
    child.once('exit', (code) => {
      clearTimeout(timer);
      failed(`ended with ${code ?? 'a signal'}`);
    });
  });
}

/** Where it is, its certificate, and a code that logs its reviewer in if it says one. */
export function demoIn(said: string): DemoGateway | undefined {
  const origin = /https:\/\/127\.0\.0\.1:\d{1,5}(?=[\s/])/.exec(said)?.[0];
  const fingerprint = /(?:[0-9A-F]{2}:){31}[0-9A-F]{2}(?=\s)/.exec(said)?.[0];
  if (origin === undefined || fingerprint === undefined || !said.includes('Ctrl-C')) return undefined;
  const code = /#code=([\w-]{8,128})/.exec(said)?.[1];
  return { origin, fingerprint, ...(code === undefined ? {} : { code }) };
}

function stop(child: ChildProcess): void {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
}
