import { say } from './channel-voice.ts';
import { MessageType, writeMessage } from './connection-messages.ts';
import { decideOn } from './gatekeeper.ts';
import type { RelayedChannel } from './relayed-channel.ts';
import type { SshRelay } from './ssh-relay.ts';

const ENTER: ReadonlySet<number> = new Set([0x0a, 0x0d]);

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
