import { say } from './channel-voice.ts';
import { MessageType, writeMessage } from './connection-messages.ts';
import { decideOn } from './gatekeeper.ts';
import type { RelayedChannel } from './relayed-channel.ts';
import type { SshRelay } from './ssh-relay.ts';

/** Characters of a line that a reviewer is shown; of a longer one its end. */
const MAX_LINE = 4096;
const ENTER: ReadonlySet<number> = new Set([0x0a, 0x0d]);

/** What was typed at a terminal since the last Enter that went through, as it was typed: editing keys and all. */
export class TypedLine {
  #text = '';
  #secret = false;

  add(bytes: Buffer, secret: boolean): void {
    this.#secret ||= secret;
    this.#text = secret ? '' : (this.#text + bytes.toString('utf8')).slice(-MAX_LINE);
  }

  /** A secret is not shown to anybody, not even its length. */
  get facts(): Readonly<Record<string, unknown>> {
    return this.#secret ? { secret: true } : { line: this.#text.toWellFormed() };
  }

  clear(): void {
    this.#text = '';
    this.#secret = false;
  }
}

/**
 * While an operator steps through a session, each Enter at a terminal waits for consent, and everything behind it. A line
 * that is denied loses only its Enter: what was typed still stands at the target, and the next Enter asks for all of it.
 */
export function stepInput(relay: SshRelay, channel: RelayedChannel, bytes: Buffer): void {
  const { targetId, typed } = channel;
  if (targetId === undefined) return;
  const send = (piece: Buffer): void => {
    const message = writeMessage(MessageType.CHANNEL_DATA, targetId, piece);
    relay.pass(channel, channel.data('i', piece), piece.length, () => relay.target.send(message));
  };
  const enter = bytes.findIndex((byte) => ENTER.has(byte));
  const before = enter < 0 ? bytes : bytes.subarray(0, enter);
  typed.add(before, channel.recording.withholding);
  if (before.length > 0) send(before);
  if (enter < 0) return;
  const rest = bytes.subarray(enter + 1);
  const goOn = (): void => {
    if (rest.length > 0) relay.fromClient(writeMessage(MessageType.CHANNEL_DATA, targetId, rest));
  };
  decideOn(relay, channel, 'ssh:input', typed.facts, {
    proceed: () => {
      typed.clear();
      send(bytes.subarray(enter, enter + 1));
      goOn();
    },
    refuse: (error) => {
      say(relay, channel, `${error.message}; the line still stands at the target`);
      goOn();
    },
  });
}
