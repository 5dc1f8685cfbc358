/**
 * A command without a terminal, run on one: node-pty is the gateway's only way to start a process here. The terminal is
 * made transparent: output is not processed, input is not echoed, and every byte of input that the line discipline
 * would interpret is quoted. Standard output and standard error can't be told apart this way.
 */

/** What the command prints when its terminal is ready; everything before it is not the command's. */
export const READY_MARK = 0x06;

const END_OF_FILE = 0x04;
const QUOTE = 0x16;
/** The end of a pipe is met by whoever reads, as often as anybody does; that of a terminal only once for each character. */
const ENDS = 512;
/** A canonical terminal takes 4095 bytes a line (MAX_CANON of Linux); it is told to hand over well before that. */
const LINE_PIECE = 1024;

const settings =
  'stty -opost -echo -isig -icrnl -ixon -ixoff -istrip icanon iexten erase undef kill undef werase undef rprnt undef eol undef eol2 undef lnext ^V eof ^D';

/**
 * Keeps the terminal open until the process has ended. Programs close their standard output before they end (GNU touch all
 * three descriptors); nobody would have the terminal open then, it would be taken for hung up, and SIGHUP would overtake the
 * end of a command that has done its work.
 */
export const KEEP_OPEN = 'exec 9<&0';

/** The words that run `command` (or the shell itself, reading standard input) on a transparent terminal. */
export function plainTerminalCommand(shell: string, command: string | undefined): string[] {
  // A shell that reads its commands from a file is not interactive, and shows no prompt.
  const run = command === undefined ? 'exec "$0" /dev/stdin' : 'exec "$0" -c "$1"';
  return ['/bin/sh', '-c', `${KEEP_OPEN}; ${settings}; printf '\\006'; ${run}`, shell, ...(command === undefined ? [] : [command])];
}

/** Quotes input for such a terminal. Input that comes before the terminal is ready waits. */
export class PlainTerminalInput {
  readonly #write: (bytes: Buffer, counts: number) => void;
  #waiting: Buffer[] = [];
  #ended = false;
  #ready = false;
  /** Bytes since the last end of line or handing over. */
  #line = 0;

  constructor(write: (bytes: Buffer, counts: number) => void) {
    this.#write = write;
  }

  get ready(): boolean {
    return this.#ready;
  }

  begin(): void {
    this.#ready = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const bytes of waiting) this.#send(bytes);
    if (this.#ended) this.#sendEnd();
  }

  write(bytes: Buffer): void {
    if (this.#ready) this.#send(bytes);
    else this.#waiting.push(Buffer.from(bytes));
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#ready) this.#sendEnd();
  }

  #send(bytes: Buffer): void {
    const quoted: number[] = [];
    for (const byte of bytes) {
      if (byte === END_OF_FILE || byte === QUOTE) quoted.push(QUOTE);
      quoted.push(byte);
      this.#line = byte === 0x0a ? 0 : this.#line + 1;
      if (this.#line >= LINE_PIECE) this.#handOver(quoted);
    }
    if (this.#line > 0) this.#handOver(quoted);
    this.#write(Buffer.from(quoted), bytes.length);
  }

  /** The end-of-file character after part of a line gives that part to the reader, and nothing else. */
  #handOver(quoted: number[]): void {
    quoted.push(END_OF_FILE);
    this.#line = 0;
  }

  #sendEnd(): void {
    this.#write(Buffer.alloc(ENDS, END_OF_FILE), 0);
  }
}
