import { SallyportError } from '../../base/errors.ts';
import type { ChannelRecording } from '../../recording/recorder.ts';
import { MAX_OUTSTANDING } from './channel-requests.ts';
import {
  checkLength,
  type FieldReader,
  MessageType,
  OpenFailure,
  RECIPIENT_ONLY,
  readChannelData,
  readChannelOpen,
  readChannelOpenConfirmation,
  readChannelOpenFailure,
  readChannelRequest,
  readExtendedData,
  readGlobalRequest,
  readRecipient,
  STDERR,
  WINDOW_ADJUST_BYTES,
  writeMessage,
} from './connection-messages.ts';
import { decideApart } from './gatekeeper.ts';
import { channelKind, newChannel, type RelayedChannel } from './relayed-channel.ts';
import type { SshRelay } from './ssh-relay.ts';

/** What the target says. It is no more trusted than the client: the recording has it before the client does. */
export class TargetMessages {
  readonly #relay: SshRelay;

  constructor(relay: SshRelay) {
    this.#relay = relay;
  }

  handle(message: Buffer): void {
    switch (message[0]) {
      case MessageType.CHANNEL_DATA:
        return this.#data(message);
      case MessageType.CHANNEL_EXTENDED_DATA:
        return this.#extendedData(message);
      case MessageType.CHANNEL_WINDOW_ADJUST:
        checkLength(message, WINDOW_ADJUST_BYTES);
        return this.#onward(this.#addressed(message), message);
      case MessageType.CHANNEL_EOF:
        checkLength(message, RECIPIENT_ONLY);
        return this.#eof(message);
      case MessageType.CHANNEL_CLOSE:
        checkLength(message, RECIPIENT_ONLY);
        return this.#close(message);
      case MessageType.CHANNEL_REQUEST:
        return this.#channelRequest(message);
      case MessageType.CHANNEL_SUCCESS:
      case MessageType.CHANNEL_FAILURE:
        checkLength(message, RECIPIENT_ONLY);
        if (this.#addressed(message)?.replies.arrived(message) === false)
          throw violation(this.#name, 'a reply to a request that nobody made');
        return;
      case MessageType.CHANNEL_OPEN:
        return this.#open(message);
      case MessageType.CHANNEL_OPEN_CONFIRMATION:
        return this.#openConfirmed(message);
      case MessageType.CHANNEL_OPEN_FAILURE:
        return this.#openFailed(message);
      case MessageType.GLOBAL_REQUEST:
        return this.#globalRequest(message);
      case MessageType.REQUEST_SUCCESS:
      case MessageType.REQUEST_FAILURE:
        return this.#globalReply(message);
      default:
        throw violation(this.#name, `a message of type ${message[0]}`);
    }
  }

  get #name(): string {
    return this.#relay.session.target.name;
  }

  #data(message: Buffer): void {
    const channel = this.#addressed(message);
    if (channel === undefined) return;
    const bytes = readChannelData(message);
    this.#relay.touch();
    if (channel.gate !== undefined) return channel.gate.fromTarget(message, bytes);
    this.#relay.pass(channel, channel.data('o', bytes), bytes.length, () => this.#relay.client.send(message));
  }

  #extendedData(message: Buffer): void {
    const channel = this.#addressed(message);
    if (channel === undefined) return;
    const { type, data } = readExtendedData(message);
    if (type !== STDERR) throw violation(this.#name, `extended data of type ${type}`);
    this.#relay.touch();
    this.#relay.pass(channel, channel.data('e', data), data.length, () => this.#relay.client.send(message));
  }

  #eof(message: Buffer): void {
    const channel = this.#addressed(message);
    if (channel === undefined) return;
    this.#relay.pass(channel, [channel.event({ t: 'ssh.eof', by: 'target' })], message.length, () => this.#relay.client.send(message));
  }

  #close(message: Buffer): void {
    const channel = this.#known(message);
    if (channel.closedBy.target) return;
    channel.closedBy.target = true;
    if (!channel.cut) this.#onward(channel, message);
    if (channel.closedBy.client) this.#relay.channelOver(channel, channel.cut ? 'refused' : 'closed');
  }

  #channelRequest(message: Buffer): void {
    const channel = this.#addressed(message);
    if (channel === undefined) return;
    const { name, wantReply, fields } = readChannelRequest(message);
    if (channel.repliesToTarget.outstanding > MAX_OUTSTANDING)
      throw violation(this.#name, `more than ${MAX_OUTSTANDING} requests without waiting for an answer`);
    const onward = () => this.#relay.client.send(message);
    const at = channel.recording.now();
    if (name === 'exit-status') {
      const status = fields.uint32();
      fields.end();
      channel.exit = { status };
      this.#relay.pass(channel, [{ kind: 'exit', at, status }], message.length, onward);
    } else if (name === 'exit-signal') {
      const { signal, coreDumped, text } = readExitSignal(fields);
      channel.exit = { signal };
      this.#relay.pass(
        channel,
        [channel.event({ t: 'ssh.exit-signal', signal, coreDumped, message: text }, `killed by ${signal}`)],
        message.length,
        onward,
      );
    } else if (withoutContent.has(name)) {
      fields.end();
      this.#relay.follow(onward, message.length);
    } else {
      // What we don't understand we can't record, so it goes no further.
      this.#relay.pass(
        channel,
        [channel.event({ t: 'ssh.request', by: 'target', request: name, passed: false })],
        message.length,
        () => undefined,
      );
      const { targetId } = channel;
      if (wantReply && targetId !== undefined && !channel.closedBy.client)
        channel.repliesToTarget.answered(writeMessage(MessageType.CHANNEL_FAILURE, targetId));
      return;
    }
    if (wantReply) channel.repliesToTarget.passedOn();
  }

  /** The target opens a channel towards the client: a connection to a remote forward, or to the client's agent. */
  #open(message: Buffer): void {
    const { type, sender, fields } = readChannelOpen(message);
    const { channels, limits } = this.#relay;
    const detail = describeOpen(type, fields);
    if (detail === undefined) return this.#refuseOpen(sender, OpenFailure.UNKNOWN_TYPE, `channels of type ${type} are not relayed`);
    if (channels.size >= limits.channelsPerSession) return this.#refuseOpen(sender, OpenFailure.RESOURCE_SHORTAGE, 'too many channels');
    const { asked } = this.#relay;
    if (!(type === 'auth-agent@openssh.com' ? asked.agent : asked.remoteForward))
      return this.#refuseOpen(sender, OpenFailure.PROHIBITED, 'the client has not asked for it');
    const action = type === 'auth-agent@openssh.com' ? 'ssh:agent-forward' : 'ssh:forward';
    decideApart(this.#relay, action, detail, {
      proceed: () => this.#pass(message, type, sender, action, detail),
      refuse: (error) => this.#refuseOpen(sender, OpenFailure.PROHIBITED, error.message),
    });
  }

  /** To the client: it decides whether the channel opens. */
  #pass(message: Buffer, type: string, sender: number, action: 'ssh:forward' | 'ssh:agent-forward', detail: OpenDetail): void {
    const { channels, session } = this.#relay;
    let recording: ChannelRecording;
    try {
      recording = session.openChannel(channelKind(type), { binary: 'bulk-only' });
    } catch (error) {
      if (!(error instanceof SallyportError)) throw error;
      return this.#refuseOpen(sender, OpenFailure.RESOURCE_SHORTAGE, error.message);
    }
    const channel = newChannel(this.#relay, 'target', type, recording);
    if (!channels.nameForTarget(channel, sender)) throw violation(this.#name, `channel ${sender} is open already`);
    channel.started = { action, facts: detail };
    session.startChannel(channel.number, channelKind(type), detail);
    this.#relay.pass(channel, [channel.event({ t: 'forward', ...detail }, `forward from ${detail.from}`)], message.length, () =>
      this.#relay.client.send(message),
    );
  }

  #refuseOpen(sender: number, reason: number, text: string): void {
    this.#relay.follow(() => this.#relay.target.send(writeMessage(MessageType.CHANNEL_OPEN_FAILURE, sender, reason, text, '')));
  }

  #openConfirmed(message: Buffer): void {
    const { recipient, sender } = readChannelOpenConfirmation(message);
    const channel = this.#opening(recipient);
    if (!this.#relay.channels.nameForTarget(channel, sender)) throw violation(this.#name, `channel ${sender} is open already`);
    this.#onward(channel, message);
  }

  #openFailed(message: Buffer): void {
    const { recipient, reason, description } = readChannelOpenFailure(message);
    const channel = this.#opening(recipient);
    const refused = channel.event({ t: 'ssh.open-failure', by: 'target', reason, message: description });
    this.#relay.pass(channel, [refused], message.length, () => this.#relay.client.send(message));
    channel.refused = true;
    this.#relay.channelOver(channel, 'refused by the target');
  }

  #opening(recipient: number): RelayedChannel {
    const channel = this.#relay.channels.addressedByTarget(recipient);
    if (channel === undefined || channel.openedBy !== 'client' || channel.targetId !== undefined)
      throw violation(this.#name, `an answer about channel ${recipient}, which nobody opened`);
    return channel;
  }

  /** Host keys, keep-alives: between the target and us. None of them is the client's business. */
  #globalRequest(message: Buffer): void {
    const { wantReply } = readGlobalRequest(message);
    if (wantReply) this.#relay.follow(() => this.#relay.target.send(writeMessage(MessageType.REQUEST_FAILURE)));
  }

  #globalReply(message: Buffer): void {
    // A success may bring the port of a remote forward (RFC 4254 section 7.1), and nothing else.
    if (message[0] === MessageType.REQUEST_FAILURE || message.length !== 5) checkLength(message, 1);
    const owed = this.#relay.targetOwes.shift();
    if (owed === 'client') this.#relay.clientReplies.arrived(message);
    else if (owed === undefined || !this.#relay.keepAliveAnswered('target'))
      throw violation(this.#name, 'a reply to a request that nobody made');
  }

  #onward(channel: RelayedChannel | undefined, message: Buffer): void {
    if (channel !== undefined) this.#relay.follow(() => this.#relay.client.send(message), message.length);
  }

  /** Undefined when the target itself or the gateway has closed the channel: what follows is void. */
  #addressed(message: Buffer): RelayedChannel | undefined {
    const channel = this.#known(message);
    return channel.closedBy.target || channel.cut ? undefined : channel;
  }

  #known(message: Buffer): RelayedChannel {
    const recipient = readRecipient(message);
    const channel = this.#relay.channels.addressedByTarget(recipient);
    if (channel === undefined || channel.targetId === undefined)
      throw violation(this.#name, `a message for channel ${recipient}, which is not open`);
    return channel;
  }
}

interface OpenDetail {
  readonly [fact: string]: string;
  readonly direction: string;
  readonly from: string;
}

function describeOpen(type: string, fields: FieldReader): OpenDetail | undefined {
  const detail = readOpenDetail(type, fields);
  if (detail !== undefined) fields.end();
  return detail;
}

function readOpenDetail(type: string, fields: FieldReader): OpenDetail | undefined {
  switch (type) {
    case 'forwarded-tcpip': {
      const to = `${fields.text()}:${fields.uint32()}`;
      return { direction: 'remote', to, from: `${fields.text()}:${fields.uint32()}` };
    }
    case 'forwarded-streamlocal@openssh.com': {
      const to = fields.text();
      fields.bytes(); // reserved
      return { direction: 'remote', to, from: 'a socket' };
    }
    case 'auth-agent@openssh.com':
      return { direction: 'agent', from: 'the target' };
    default:
      return undefined;
  }
}

/** Requests of a target that say nothing but themselves. */
const withoutContent = new Set(['keepalive@openssh.com', 'eow@openssh.com']);

function readExitSignal(fields: FieldReader): { signal: string; coreDumped: boolean; text: string } {
  const exit = { signal: fields.text(), coreDumped: fields.boolean(), text: fields.text() };
  fields.text(); // the language tag
  fields.end();
  return exit;
}

function violation(target: string, what: string): SallyportError {
  return new SallyportError('PROTOCOL_VIOLATION', `${target} broke the SSH connection protocol: ${what}`);
}
