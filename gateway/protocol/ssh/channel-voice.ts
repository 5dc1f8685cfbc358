import type { Frame, StreamName } from '../../../contract/frame-codec.ts';
import { printable } from '../../base/printable.ts';
import { MessageType, STDERR, writeMessage } from './connection-messages.ts';
import type { RelayedChannel } from './relayed-channel.ts';
import type { SshRelay } from './ssh-relay.ts';

/**
 * Says something of the gateway's own on a channel: a line of the terminal, or of standard error where there is none.
 * It is recorded as what the client saw, after a `notice` event that tells it from the target's output. False when the
 * client has no room for it, or the channel cannot take it: then nothing is said.
 */
export function say(relay: SshRelay, channel: RelayedChannel, text: string, place: 'queued' | 'at once' = 'queued'): boolean {
  const { clientId, spare } = channel;
  if (clientId === undefined || channel.type !== 'session' || channel.closedBy.target || channel.closedBy.client) return false;
  const terminal = channel.terminal !== undefined;
  const line = `sallyport: ${printable(text)}`;
  // In a terminal the cursor may stand anywhere in a line.
  const bytes = Buffer.from(terminal ? `\r\n${line}\r\n` : `${line}\n`);
  if (spare?.take(bytes.length) !== true) return false;
  const stream: StreamName = terminal ? 'o' : 'e';
  const message = terminal
    ? writeMessage(MessageType.CHANNEL_DATA, clientId, bytes)
    : writeMessage(MessageType.CHANNEL_EXTENDED_DATA, clientId, STDERR, bytes);
  const at = channel.recording.now();
  const frames: Frame[] = [channel.event({ t: 'notice', s: stream, bytes: bytes.length }), { kind: 'data', at, stream, bytes }];
  const deliver = (): void => relay.client.send(message);
  if (place === 'queued') relay.pass(channel, frames, message.length, deliver);
  else relay.interject(channel, frames, deliver);
  return true;
}
