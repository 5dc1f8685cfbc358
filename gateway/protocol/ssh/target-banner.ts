import { MessageType, STDERR, writeMessage } from './connection-messages.ts';
import type { RelayedChannel } from './relayed-channel.ts';
import type { SshRelay } from './ssh-relay.ts';

/**
 * The target's banner. It came before the log-in there, when the client had long been let in here, so it can't be passed
 * on as what it was: it is shown, once, before the first interactive shell.
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

  /** The room to keep in a new session channel: of the first one, which will show the banner. */
  roomFor(channel: RelayedChannel): number {
    this.#channel ??= channel;
    return this.#channel === channel ? this.#bytes.length : 0;
  }

  show(channel: RelayedChannel): void {
    const { clientId } = channel;
    if (this.#shown || this.#bytes.length === 0 || channel !== this.#channel || clientId === undefined) return;
    if (channel.spare?.take(this.#bytes.length) !== true) return;
    this.#shown = true;
    const message = writeMessage(MessageType.CHANNEL_EXTENDED_DATA, clientId, STDERR, this.#bytes);
    this.#relay.pass(channel, channel.data('e', this.#bytes), this.#bytes.length, () => this.#relay.client.send(message));
  }
}
