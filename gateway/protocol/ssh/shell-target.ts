import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { type IPty, spawn } from 'node-pty';
import { SallyportError } from '../../base/errors.ts';
import type { FieldReader } from './connection-messages.ts';
import { type LocalChannel, type LocalChannelHandler, LocalEndpoint } from './local-endpoint.ts';
import { KEEP_OPEN, PlainTerminalInput, plainTerminalCommand, READY_MARK } from './plain-terminal.ts';
import { PtyInput } from './pty-input.ts';
import { PtyOutput } from './pty-output.ts';
import type { ShellTargetSettings } from './ssh-target.ts';

/** Output that may wait for the client's window before the shell is stopped. */
const OUTPUT_HIGH_WATER = 256 * 1024;
/** Bytes of names and values that a client may set; a process could not be started with very many. */
const MAX_ENVIRONMENT = 64 * 1024;
const MAX_TERMINAL_SIDE = 9999;

interface Account {
  name: string;
  home: string;
  shell: string;
  /** True when the process has to change its user, which only root may. */
  other: boolean;
  /** OpenSSH's SFTP server, where it is installed. */
  sftpServer: string | undefined;
}

const sftpServers = [
  '/usr/lib/openssh/sftp-server',
  '/usr/libexec/openssh/sftp-server',
  '/usr/lib/ssh/sftp-server',
  '/usr/libexec/sftp-server',
];

/** A shell on the gateway's own host, for the demo and for break-glass. Each channel is a process of its own. */
export async function openShellTarget(target: ShellTargetSettings): Promise<LocalEndpoint> {
  const account = await findAccount(target);
  return new LocalEndpoint((channel) => new ShellChannel(channel, target, account));
}

async function findAccount(target: ShellTargetSettings): Promise<Account> {
  const self = userInfo();
  const name = target.user ?? self.username;
  const entry = (await readFile('/etc/passwd', 'utf8'))
    .split('\n')
    .map((line) => line.split(':'))
    .find(([user]) => user === name);
  const [, , , , , home, shell] = entry ?? [];
  if (entry === undefined && name !== self.username) {
    throw new SallyportError('TARGET_LOGIN_REFUSED', `the shell target ${target.name} runs as ${name}, whom this host does not know`, {
      remedy: 'create the user, or change user of the target',
    });
  }
  if (name !== self.username && self.uid !== 0) {
    throw new SallyportError(
      'TARGET_LOGIN_REFUSED',
      `the shell target ${target.name} runs as ${name}, but the gateway runs as ${self.username}`,
      { remedy: 'only a gateway that runs as root can change the user' },
    );
  }
  return {
    name,
    home: home || self.homedir,
    shell: target.shell ?? (shell || '/bin/sh'),
    other: name !== self.username,
    sftpServer: sftpServers.find((path) => existsSync(path)),
  };
}

class ShellChannel implements LocalChannelHandler {
  readonly #channel: LocalChannel;
  readonly #target: ShellTargetSettings;
  readonly #account: Account;
  readonly #environment: Record<string, string> = {};
  #environmentBytes = 0;
  #terminal: { type: string; cols: number; rows: number } | undefined;
  #start: { command?: string } | undefined;
  #pty: IPty | undefined;
  #input: PtyInput | undefined;
  #shown: PtyOutput | undefined;
  #plain: PlainTerminalInput | undefined;
  #stopped = false;
  #full = false;

  constructor(channel: LocalChannel, target: ShellTargetSettings, account: Account) {
    this.#channel = channel;
    this.#target = target;
    this.#account = account;
    channel.onRoom(() => this.#flow({ full: false }));
  }

  request(name: string, fields: FieldReader): boolean {
    switch (name) {
      case 'pty-req': {
        const type = fields.text();
        this.#terminal = {
          type,
          cols: Math.min(fields.uint32() || 80, MAX_TERMINAL_SIDE),
          rows: Math.min(fields.uint32() || 24, MAX_TERMINAL_SIDE),
        };
        return true;
      }
      case 'env': {
        const [variable, value] = [fields.text(), fields.text()];
        this.#environmentBytes += variable.length + value.length;
        if (this.#environmentBytes > MAX_ENVIRONMENT) return false;
        this.#environment[variable] = value;
        return true;
      }
      case 'shell':
        if (this.#start !== undefined) return false;
        this.#start = {};
        return true;
      case 'exec': {
        const command = fields.text();
        // What follows a NUL would be recorded and not run.
        if (this.#start !== undefined || command.includes('\0')) return false;
        this.#start = { command };
        return true;
      }
      case 'subsystem': {
        const server = this.#account.sftpServer;
        if (this.#start !== undefined || fields.text() !== 'sftp' || server === undefined) return false;
        this.#start = { command: `exec ${server}` };
        this.#terminal = undefined;
        return true;
      }
      case 'window-change': {
        const cols = fields.uint32();
        const rows = fields.uint32();
        return this.#resize(cols, rows);
      }
      case 'signal':
        this.#pty?.kill(`SIG${fields.text()}`);
        return true;
      default:
        return false;
    }
  }

  replied(name: string): void {
    if (name === 'shell' || name === 'exec' || name === 'subsystem') this.#run();
  }

  data(bytes: Buffer): void {
    if (this.#plain !== undefined) this.#plain.write(bytes);
    else if (this.#input !== undefined) this.#input.write(bytes, bytes.length);
    else this.#channel.consumed(bytes.length);
  }

  eof(): void {
    this.#plain?.end();
  }

  closed(): void {
    this.#pty?.kill('SIGHUP');
    this.#input?.close();
    this.#shown?.hangUp();
  }

  pause(stopped: boolean): void {
    this.#flow({ stopped });
  }

  #run(): void {
    const terminal = this.#terminal;
    const { shell, home, name } = this.#account;
    const command = this.#start?.command;
    const own =
      terminal === undefined
        ? plainTerminalCommand(shell, command)
        : command === undefined
          ? [shell, '-l']
          : ['/bin/sh', '-c', `${KEEP_OPEN}; exec "$0" -c "$1"`, shell, command];
    const [file, ...words] = this.#account.other ? ['runuser', '-u', name, '--', ...own] : own;
    const pty = spawn(file as string, words, {
      name: terminal?.type || 'dumb',
      cols: terminal?.cols ?? 80,
      rows: terminal?.rows ?? 24,
      cwd: this.#target.directory ?? home,
      env: {
        PATH: '/usr/local/bin:/usr/bin:/bin',
        ...this.#environment,
        HOME: home,
        USER: name,
        LOGNAME: name,
        SHELL: shell,
        TERM: terminal?.type || 'dumb',
      },
      encoding: null,
    });
    this.#pty = pty;
    const input = new PtyInput(pty, (bytes) => this.#channel.consumed(bytes));
    this.#input = input;
    if (terminal === undefined) this.#plain = new PlainTerminalInput((bytes, counts) => input.write(bytes, counts));
    this.#shown = new PtyOutput(pty, (chunk) => this.#output(chunk));
    if (!this.#flows) this.#shown.stop();
    pty.onExit(({ exitCode, signal }) => {
      this.#pty = undefined;
      input.close();
      this.#channel.finish(signal ? (signalNames[signal] ?? `${signal}`) : exitCode);
    });
  }

  #output(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#plain !== undefined && !this.#plain.ready) {
      const mark = bytes.indexOf(READY_MARK);
      if (mark === -1) return;
      this.#plain.begin();
      bytes = bytes.subarray(mark + 1);
    }
    this.#channel.write(bytes);
    if (this.#channel.queued > OUTPUT_HIGH_WATER) this.#flow({ full: true });
  }

  /** Fails when the terminal has just gone, which node-pty tells a moment later. */
  #resize(cols: number, rows: number): boolean {
    if (cols === 0 || rows === 0 || cols > MAX_TERMINAL_SIDE || rows > MAX_TERMINAL_SIDE) return true;
    try {
      this.#pty?.resize(cols, rows);
      return true;
    } catch {
      return false;
    }
  }

  get #flows(): boolean {
    return !(this.#stopped || this.#full);
  }

  #flow(change: { stopped?: boolean; full?: boolean }): void {
    const flowed = this.#flows;
    this.#stopped = change.stopped ?? this.#stopped;
    this.#full = change.full ?? this.#full;
    if (flowed && !this.#flows) this.#shown?.stop();
    else if (!flowed && this.#flows) this.#shown?.go();
  }
}

const signalNames: Record<number, string> = {
  1: 'HUP',
  2: 'INT',
  3: 'QUIT',
  4: 'ILL',
  6: 'ABRT',
  8: 'FPE',
  9: 'KILL',
  10: 'USR1',
  11: 'SEGV',
  12: 'USR2',
  13: 'PIPE',
  14: 'ALRM',
  15: 'TERM',
};
