import { isUtf8 } from 'node:buffer';
import { describeError, SallyportError } from '../../base/errors.ts';
import type { ChannelRecording } from '../../recording/recorder.ts';
import { ChannelRequests, MAX_OUTSTANDING } from './channel-requests.ts';
import { clientViolation } from './client-violation.ts';
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
  readGlobalRequest,
  readRecipient,
  WINDOW_ADJUST_BYTES,
  writeMessage,
} from './connection-messages.ts';
import { decideApart } from './gatekeeper.ts';
import { isServerSocket, tunnelledTarget } from './jump-target.ts';
import { channelKind, newChannel, type RelayedChannel } from './relayed-channel.ts';
import { SpareWindow } from './spare-window.ts';
import type { SshRelay } from './ssh-relay.ts';
import { endOfInput, takesLines, typedInput } from './stepped-input.ts';
import { TargetBanner } from './target-banner.ts';

/** Messages that follow what waits for consent on their channel; the others are about the other direction. */
const waiting: ReadonlySet<number> = new Set([
  MessageType.CHANNEL_DATA,
  MessageType.CHANNEL_EOF,
  MessageType.CHANNEL_CLOSE,
  MessageType.CHANNEL_REQUEST,
]);

/** What the client says: each message is looked at, decided where there is something to decide, recorded and passed on. */
export class ClientMessages {
  readonly #relay: SshRelay;
  readonly #banner: TargetBanner;
  readonly #requests: ChannelRequests;
  #noMoreSessions = false;

  constructor(relay: SshRelay) {
    this.#relay = relay;
    this.#banner = new TargetBanner(relay);
    this.#requests = new ChannelRequests(relay, this.#banner);
  }

  handle(message: Buffer): void {
    if (this.#holds(message)) return;
    switch (message[0]) {
      case MessageType.CHANNEL_DATA:
        return this.#data(message);
      case MessageType.CHANNEL_WINDOW_ADJUST:
        checkLength(message, WINDOW_ADJUST_BYTES);
        return this.#adjustWindow(message);
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
        return this.#channelReply(message);
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
        // Nothing but our own keep-alives is ever asked of the client.
        if (!this.#relay.keepAliveAnswered('client')) throw clientViolation('a reply to a request that nobody made');
        return;
      default:
        throw clientViolation(`a message of type ${message[0]}`);
    }
  }

  /** While something on a channel waits for consent, what the client goes on to say on it waits too. */
  #holds(message: Buffer): boolean {
    const type = message[0] ?? 0;
    if (!waiting.has(type)) return false;
    const channel = this.#relay.channels.addressedByClient(readRecipient(message));
    const held = channel?.held;
    if (channel === undefined || held === undefined) return false;
    if (type === MessageType.CHANNEL_CLOSE) {
      channel.held = undefined;
      held.withdraw('the client closed the channel');
      this.#relay.heldChanged();
      return false;
    }
    held.add(message);
    this.#relay.heldChanged();
    return true;
  }

  #adjustWindow(message: Buffer): void {
    const channel = this.#addressed(message);
    const onward = channel?.spare === undefined ? message : channel.spare.adjusted(message);
    if (onward !== undefined) this.#onward(channel, onward);
    channel?.gate?.roomGrew();
  }

  #data(message: Buffer): void {
    const channel = this.#addressed(message);
    if (channel === undefined) return;
    const bytes = readChannelData(message);
    this.#relay.touch();
    if (channel.gate !== undefined) return channel.gate.fromClient(message, bytes);
    if (takesLines(channel)) return typedInput(this.#relay, channel, message, bytes);
    this.#relay.pass(channel, channel.data('i', bytes), bytes.length, () => this.#relay.target.send(message));
  }

  #eof(message: Buffer): void {
    const channel = this.#addressed(message);
    if (channel === undefined) return;
    // A copy: it may have to wait for consent.
    const end = Buffer.from(message);
    endOfInput(this.#relay, channel, () =>
      this.#relay.pass(channel, [channel.event({ t: 'ssh.eof', by: 'client' })], end.length, () => this.#relay.target.send(end)),
    );
  }

  #close(message: Buffer): void {
    const channel = this.#known(message);
    if (channel.closedBy.client) return;
    channel.closedBy.client = true;
    if (!channel.cut) this.#onward(channel, message);
    if (channel.closedBy.target) this.#relay.channelOver(channel, channel.cut ? 'refused' : 'closed');
  }

  #open(message: Buffer): void {
    const { type, sender, fields } = readChannelOpen(message);
    if (type === 'session') {
      fields.end();
      if (this.#noMoreSessions) return this.#refuseOpen(sender, OpenFailure.PROHIBITED, 'the client itself has ruled out further sessions');
      this.#openChannel(message, type, sender);
      return;
    }
    if (type === 'direct-tcpip' || type === 'direct-streamlocal@openssh.com') return this.#openForward(message, type, sender, fields);
    return this.#refuseOpen(sender, OpenFailure.UNKNOWN_TYPE, `channels of type ${type} are not relayed`);
  }

  #openForward(message: Buffer, type: string, sender: number, fields: FieldReader): void {
    const { place, at, from } = type === 'direct-tcpip' ? readTcpForward(fields) : readSocketForward(fields);
    // Two that look the same must not be one.
    if (!isUtf8(place)) return this.#refuseOpen(sender, OpenFailure.PROHIBITED, 'where it leads is not written in UTF-8');
    const to = at === undefined ? place.toString() : `${place.toString()}:${at}`;
    const wanted = { direction: 'local', to };
    const recorded = { ...wanted, from };
    const { session, targets } = this.#relay;
    const past =
      at === undefined
        ? isServerSocket(to)
          ? session.target
          : undefined
        : tunnelledTarget(place.toString(), at, targets(), session.target);
    if (past !== undefined) {
      session.prohibit('ssh:forward', wanted, session.channelsOpened, 'gateway.no-way-past-the-recording');
      const text = `this leads past the recording of ${past.name}; reach it as ${past.name}@ this gateway, or with ssh -J`;
      return this.#refuseOpen(sender, OpenFailure.PROHIBITED, text);
    }
    // Where a connection comes from is the client's own word, and another with each: it decides nothing and binds nothing.
    this.#decideForward(
      wanted,
      () => this.#forward(message, type, sender, wanted, recorded),
      (error) => this.#refuseOpen(sender, OpenFailure.PROHIBITED, describeError(error)),
    );
  }

  #decideForward(facts: Readonly<Record<string, string>>, proceed: () => void, refuse: (error: SallyportError) => void): void {
    const { session } = this.#relay;
    if (!session.mayForward) {
      session.prohibit('ssh:forward', facts, session.channelsOpened, 'certificate.permit-port-forwarding');
      return refuse(new SallyportError('ACTION_DENIED', 'the certificate does not allow forwarding'));
    }
    decideApart(this.#relay, 'ssh:forward', facts, { proceed, refuse });
  }

  #forward(
    message: Buffer,
    type: string,
    sender: number,
    facts: Readonly<Record<string, string>>,
    recorded: Readonly<Record<string, string>>,
  ): void {
    const { to } = recorded;
    const channel = this.#openChannel(message, type, sender);
    if (channel === undefined) return;
    channel.started = { action: 'ssh:forward', facts };
    this.#relay.session.startChannel(channel.number, channelKind(type), recorded);
    this.#relay.pass(channel, [channel.event({ t: 'forward', ...recorded }, `forward to ${to}`)], message.length, () =>
      this.#relay.target.send(message),
    );
  }

  /** Opens a recording and, for sessions, passes the request to open on. */
  #openChannel(message: Buffer, type: string, sender: number): RelayedChannel | undefined {
    const { channels, limits, session, target } = this.#relay;
    if (channels.size >= limits.channelsPerSession) {
      this.#refuseOpen(sender, OpenFailure.RESOURCE_SHORTAGE, `a session may have ${limits.channelsPerSession} channels at once`);
      return undefined;
    }
    let recording: ChannelRecording;
    try {
      recording = session.openChannel(channelKind(type), type === 'session' ? {} : { binary: 'bulk-only' });
    } catch (error) {
      if (!(error instanceof SallyportError)) throw error;
      this.#refuseOpen(sender, OpenFailure.RESOURCE_SHORTAGE, describeError(error));
      return undefined;
    }
    const channel = newChannel(this.#relay, 'client', type, recording);
    if (!channels.nameForClient(channel, sender)) throw clientViolation(`channel ${sender} is open already`);
    if (type === 'session') {
      const { spare, onward } = SpareWindow.reserve(message, this.#banner.roomFor(channel));
      channel.spare = spare;
      this.#relay.follow(() => target.send(onward), message.length);
    }
    return channel;
  }

  #refuseOpen(sender: number, reason: number, text: string): void {
    this.#relay.follow(() =>
      this.#relay.client.send(writeMessage(MessageType.CHANNEL_OPEN_FAILURE, sender, reason, `sallyport: ${text}`, '')),
    );
  }

  /** The client accepts a channel that the target opened: a remote forward, the agent. */
  #openConfirmed(message: Buffer): void {
    const { recipient, sender } = readChannelOpenConfirmation(message);
    const channel = this.#relay.channels.addressedByClient(recipient);
    if (channel === undefined || channel.openedBy !== 'target' || channel.clientId !== undefined)
      throw clientViolation(`a confirmation of channel ${recipient}, which nobody opened`);
    if (!this.#relay.channels.nameForClient(channel, sender)) throw clientViolation(`channel ${sender} is open already`);
    this.#onward(channel, message);
  }

  #openFailed(message: Buffer): void {
    const { recipient, reason, description } = readChannelOpenFailure(message);
    const channel = this.#relay.channels.addressedByClient(recipient);
    if (channel === undefined || channel.openedBy !== 'target' || channel.clientId !== undefined)
      throw clientViolation(`a refusal of channel ${recipient}, which nobody opened`);
    const refused = channel.event({ t: 'ssh.open-failure', by: 'client', reason, message: description });
    this.#relay.pass(channel, [refused], message.length, () => this.#relay.target.send(message));
    channel.refused = true;
    this.#relay.channelOver(channel, 'refused by the client');
  }

  #channelRequest(message: Buffer): void {
    const channel = this.#addressed(message);
    if (channel !== undefined) this.#requests.handle(channel, message);
  }

  #channelReply(message: Buffer): void {
    const channel = this.#addressed(message);
    if (channel === undefined) return;
    if (!channel.repliesToTarget.arrived(message)) throw clientViolation('a reply to a request that nobody made');
  }

  #globalRequest(message: Buffer): void {
    const { clientReplies, target, targetOwes } = this.#relay;
    if (clientReplies.outstanding > MAX_OUTSTANDING)
      throw clientViolation(`more than ${MAX_OUTSTANDING} requests without waiting for an answer`);
    const { name, wantReply, fields } = readGlobalRequest(message);
    if (name === 'no-more-sessions@openssh.com') this.#noMoreSessions = true;
    const cancels = name === 'cancel-tcpip-forward' || name === 'cancel-streamlocal-forward@openssh.com';
    const forwards = name === 'tcpip-forward' || name === 'streamlocal-forward@openssh.com';
    if (forwards || cancels) {
      const place = fields.bytes();
      const address = name.includes('streamlocal') ? place.toString() : `${place.toString()}:${fields.uint32()}`;
      fields.end();
      const answer = wantReply ? clientReplies.deferred() : undefined;
      const pass = (): void => {
        if (forwards) this.#relay.asked.remoteForward = true;
        if (answer !== undefined) {
          answer.passedOn();
          targetOwes.push('client');
        }
        this.#relay.follow(() => target.send(message), message.length);
      };
      if (cancels) return pass();
      const refuse = () => answer?.answered(writeMessage(MessageType.REQUEST_FAILURE));
      return isUtf8(place) ? this.#decideForward({ direction: 'remote', listen: address }, pass, refuse) : refuse();
    }
    if (wantReply) clientReplies.answered(writeMessage(MessageType.REQUEST_FAILURE));
  }

  #onward(channel: RelayedChannel | undefined, message: Buffer): void {
    if (channel !== undefined) this.#relay.follow(() => this.#relay.target.send(message), message.length);
  }

  /** The channel that a message is addressed to. Undefined when the client itself or the gateway has closed it: what follows is void. */
  #addressed(message: Buffer): RelayedChannel | undefined {
    const channel = this.#known(message);
    return channel.closedBy.client || channel.cut ? undefined : channel;
  }

  #known(message: Buffer): RelayedChannel {
    const recipient = readRecipient(message);
    const channel = this.#relay.channels.addressedByClient(recipient);
    if (channel === undefined || channel.clientId === undefined)
      throw clientViolation(`a message for channel ${recipient}, which is not open`);
    return channel;
  }
}

/** Where a connection is wanted to: a host and, in `at`, its port, or the path of a socket. */
interface ForwardFields {
  readonly from: string;
  readonly place: Buffer;
  readonly at?: number;
}

function readTcpForward(fields: FieldReader): ForwardFields {
  const [place, at] = [fields.bytes(), fields.uint32()];
  const from = `${fields.text()}:${fields.uint32()}`;
  fields.end();
  return { from, place, at };
}

/** `direct-streamlocal@openssh.com` has two reserved fields (PROTOCOL of OpenSSH, section 2.4). */
function readSocketForward(fields: FieldReader): ForwardFields {
  const place = fields.bytes();
  fields.bytes();
  fields.uint32();
  fields.end();
  return { from: 'the client', place };
}
