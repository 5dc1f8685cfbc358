import { execFile } from 'node:child_process';
import { access, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import pty from 'node-pty';
import type { Belongings } from '../../test/support/temp.ts';
import { TERMINAL } from './captured-work.ts';

const run = promisify(execFile);

/** How another recorder keeps what a program writes to its terminal. */
export interface TerminalRecorder {
  readonly name: string;
  /** Whether it is one of those that the goal names, or measured beside them. */
  readonly measured: 'goal' | 'beside';
  readonly command: (file: string, program: readonly string[]) => readonly [string, ...string[]];
  /** Bytes on the disk, the way the recorder's users keep them. */
  readonly size: (file: string) => Promise<number>;
}

const gzipped = async (file: string) => gzipSync(await readFile(file)).length;

export const recorders: readonly TerminalRecorder[] = [
  {
    name: 'asciinema + gzip',
    measured: 'goal',
    command: (file, program) => ['asciinema', 'rec', '-q', '-c', program.join(' '), file],
    size: gzipped,
  },
  {
    name: 'tlog',
    measured: 'goal',
    command: (file, program) => ['tlog-rec', '--writer=file', `--file-path=${file}`, ...program],
    size: async (file) => (await stat(file)).size,
  },
  // Nobody's default, and what a log rotation makes of it.
  {
    name: 'tlog + gzip',
    measured: 'beside',
    command: (file, program) => ['tlog-rec', '--writer=file', `--file-path=${file}`, ...program],
    size: gzipped,
  },
  { name: 'ttyrec + gzip', measured: 'goal', command: (file, program) => ['ttyrec', '-e', program.join(' '), file], size: gzipped },
];

const packages = { asciinema: 'asciinema', 'tlog-rec': 'tlog', ttyrec: 'ttyrec', vim: 'vim', htop: 'htop' } as const;

/** Makes sure that the peers and the programs are here: installs the Debian packages where that is allowed, and says which are missing. */
export async function requireRecorders(belongings: Belongings, say: (what: string) => void): Promise<void> {
  await requireLoginRecords(belongings);
  const missing: string[] = [];
  for (const [command, name] of Object.entries(packages)) if (!(await isInstalled(command))) missing.push(name);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) throw new Error(`the peers of this row are missing: install the Debian packages ${missing.join(', ')}`);
  say(`installing the Debian packages ${missing.join(', ')}, the peers of this row`);
  try {
    await run('apt-get', ['install', '-y', '--no-install-recommends', ...missing], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  } catch (error) {
    throw new Error(`the peers of this row are missing and could not be installed: ${missing.join(', ')}`, { cause: error });
  }
}

/** tlog enters itself among those who are logged in, and gives up where there is no such list, as in most containers. */
async function requireLoginRecords(belongings: Belongings): Promise<void> {
  if (process.getuid?.() !== 0) return;
  try {
    await writeFile(LOGIN_RECORDS, '', { flag: 'wx' });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return;
    throw error;
  }
  belongings.add(() => unlink(LOGIN_RECORDS));
}

const LOGIN_RECORDS = '/run/utmp';

async function isInstalled(command: string): Promise<boolean> {
  for (const directory of (process.env.PATH ?? '').split(':')) {
    if (
      await access(join(directory, command)).then(
        () => true,
        () => false,
      )
    )
      return true;
  }
  return false;
}

/** Runs a program in a terminal of its own to its end, as somebody would who sits there and reads. */
export function inTerminal(command: readonly [string, ...string[]], directory: string): Promise<number> {
  const [program, ...args] = command;
  return new Promise((resolve) => {
    const terminal = pty.spawn(program, args, {
      ...TERMINAL,
      cwd: directory,
      env: { PATH: process.env.PATH ?? '', HOME: directory, LANG: 'C.UTF-8', TERM: TERMINAL.name, SHELL: '/bin/sh' },
    });
    let bytes = 0;
    terminal.onData((data) => {
      bytes += data.length;
    });
    terminal.onExit(({ exitCode }) => resolve(exitCode === 0 ? bytes : -exitCode));
  });
}
