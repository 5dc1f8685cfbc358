import type { Frame } from '../../contract/frame-codec.ts';

/** How much of the last line of output is looked at. */
const TAIL_BYTES = 256;
/** A secret is not longer than this; what follows without Enter is recorded again. */
const MAX_SECRET_BYTES = 1024;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** Ctrl-C, Ctrl-D, Ctrl-Z and Ctrl-\ leave a prompt without an Enter. */
const LEAVING = new Set([0x03, 0x04, 0x1a, 0x1c]);

/**
 * Keeps secrets that are typed at a terminal out of the journal. When the last line of output asks for one, input is
 * replaced by a single `redact` event until Enter, so that not even its length is told.
 */
export class SecretPrompt {
  readonly #tail = Buffer.alloc(TAIL_BYTES);
  #tailLength = 0;
  /** Bytes of a secret so far; undefined while nothing secret is being typed. */
  #secretBytes: number | undefined;

  /** Output that has crossed, in order with the input. */
  output(bytes: Uint8Array): void {
    const kept = bytes.length > TAIL_BYTES ? bytes.subarray(bytes.length - TAIL_BYTES) : bytes;
    const room = TAIL_BYTES - kept.length;
    if (this.#tailLength > room) {
      this.#tail.copyWithin(0, this.#tailLength - room, this.#tailLength);
      this.#tailLength = room;
    }
    this.#tail.set(kept, this.#tailLength);
    this.#tailLength += kept.length;
  }

  /** Whether input that comes now is a secret. */
  get withholding(): boolean {
    return this.#secretBytes !== undefined || this.#asked();
  }

  /** What of a piece of input may be recorded, in its place, and how many of its bytes that is. */
  input(at: number, bytes: Uint8Array): { frames: Frame[]; recordedBytes: number } {
    const frames: Frame[] = [];
    let recordedBytes = 0;
    let position = 0;
    while (position < bytes.length) {
      if (this.#secretBytes === undefined && this.#asked()) {
        this.#secretBytes = 0;
        frames.push({ kind: 'event', at, event: { t: 'redact', s: 'i' }, marker: 'input not recorded: a secret was asked for' });
      }
      if (this.#secretBytes !== undefined) {
        position = this.#skipSecret(bytes, position);
        continue;
      }
      const rest = position === 0 ? bytes : bytes.subarray(position);
      frames.push({ kind: 'data', at, stream: 'i', bytes: rest });
      recordedBytes += rest.length;
      position = bytes.length;
    }
    return { frames, recordedBytes };
  }

  /** Returns where recording goes on: at the Enter itself, which is not secret. */
  #skipSecret(bytes: Uint8Array, from: number): number {
    let position = from;
    for (; position < bytes.length; position++) {
      const byte = bytes[position] as number;
      const ended = byte === CARRIAGE_RETURN || byte === LINE_FEED || LEAVING.has(byte);
      if (ended || (this.#secretBytes as number) >= MAX_SECRET_BYTES) {
        this.#secretBytes = undefined;
        // The question is answered; only new output can ask again.
        this.#tailLength = 0;
        return position;
      }
      this.#secretBytes = (this.#secretBytes as number) + 1;
    }
    return position;
  }

  #asked(): boolean {
    return this.#tailLength > 0 && asksForSecret(this.#tail.toString('utf8', 0, this.#tailLength));
  }
}

// Control sequences (CSI, OSC, and two-character escapes) stand around many prompts.
const CONTROL_SEQUENCES = /\x1b(?:\[[0-9;?<>=!]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-Z\\^-~])/g;

const SECRET_WORDS = new RegExp(
  [
    'pass[- ]?(?:word|phrase|code|key)|passwd',
    '\\bpin\\b|\\botp\\b|\\btotp\\b|\\b[2m]fa\\b',
    'token|secret|credential|api[- ]?key|private key|recovery key|encryption key|master key',
    '(?:verification|security|authenticator|authentication|one[- ]time|access|backup|login|\\d[- ]digit)[- ]code',
    'passwort|kennwort|mot de passe|contraseña|senha|wachtwoord|lösenord|adgangskode|hasło|heslo|пароль|パスワード|密码|密碼|암호',
  ].join('|'),
  'iu',
);

/** Whether output ends in an unfinished line that asks for a secret. */
export function asksForSecret(output: string): boolean {
  const plain = output.replace(CONTROL_SEQUENCES, '');
  const lastLine = plain.slice(plain.lastIndexOf('\n') + 1);
  // A carriage return alone goes back to the start of the line: what was written last is what stands there.
  const shown = lastLine.split('\r').findLast((part) => part.trim() !== '') ?? '';
  return /[:?：]\s*$/u.test(shown) && SECRET_WORDS.test(shown);
}
