import { MessageType, readChannelOpen, STDERR, writeMessage } from './connection-messages.ts';
import type { RelayedChannel } from './relayed-channel.ts';
import type { SshRelay } from './ssh-relay.ts';

/**
 * The target's banner. It came before the log-in there, when the client had long been let in here, so it can't be passed
 * on as what it was: it is shown, once, before the first interactive shell. Its bytes are taken out of the window that
 * the target is told of, so that flow control stays exact.
 */
export class TargetBanner {
  readonly #relay: SshRelay;
  readonly #bytes: Buffer;
  #channel: RelayedChannel | undefined;
  #shown = false;

  constructor(relay: SshRelay) {
    this.#relay = relay;
    this.#bytes = Buffer.from((relay.target.banner ?? '').replace(/\r?\n/g, '\r\n'));
  }

  /** The client's message that opens a session channel, with room kept for the banner if this is the first. */
  reserve(channel: RelayedChannel, open: Buffer): Buffer {
    if (this.#bytes.length === 0 || this.#channel !== undefined) return open;
    const { type, sender, window, packet } = readChannelOpen(open);
    if (window <= this.#bytes.length || packet <= this.#bytes.length) return open;
    this.#channel = channel;
    return writeMessage(MessageType.CHANNEL_OPEN, type, sender, window - this.#bytes.length, packet);
  }

  show(channel: RelayedChannel): void {
    const { clientId } = channel;
    if (this.#shown || channel !== this.#channel || clientId === undefined) return;
    this.#shown = true;
    const message = writeMessage(MessageType.CHANNEL_EXTENDED_DATA, clientId, STDERR, this.#bytes);
    this.#relay.pass(channel, channel.data('e', this.#bytes), this.#bytes.length, () => this.#relay.client.send(message));
  }
}
