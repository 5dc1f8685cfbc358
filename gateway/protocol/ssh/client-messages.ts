import type { Action } from '../../../contract/policy.ts';
import { describeError, SallyportError } from '../../base/errors.ts';
import type { ChannelRecording } from '../../recording/recorder.ts';
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
  readGlobalRequest,
  readRecipient,
  textFact,
  WINDOW_ADJUST_BYTES,
  writeMessage,
} from './connection-messages.ts';
import { channelKind, RelayedChannel } from './relayed-channel.ts';
import { ReplyOrder } from './replies.ts';
import { SftpObserver } from './sftp-observer.ts';
import type { SshRelay } from './ssh-relay.ts';
import { mayPass } from './ssh-target.ts';
import { TargetBanner } from './target-banner.ts';

/** Requests that may wait for an answer at once. Who asks more does not mean it. */
export const MAX_OUTSTANDING = 1024;

/** What the client says: each message is looked at, decided where there is something to decide, recorded and passed on. */
export class ClientMessages {
  readonly #relay: SshRelay;
  readonly #banner: TargetBanner;
  #noMoreSessions = false;

  constructor(relay: SshRelay) {
    this.#relay = relay;
    this.#banner = new TargetBanner(relay);
  }

  handle(message: Buffer): void {
    switch (message[0]) {
      case MessageType.CHANNEL_DATA:
        return this.#data(message);
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
        if (!this.#relay.keepAliveAnswered('client')) throw violation('a reply to a request that nobody made');
        return;
      default:
        throw violation(`a message of type ${message[0]}`);
    }
  }

  #data(message: Buffer): void {
    const channel = this.#addressed(message);
    if (channel === undefined) return;
    const bytes = readChannelData(message);
    this.#relay.touch();
    this.#relay.pass(channel, channel.data('i', bytes), bytes.length, () => this.#relay.target.send(message));
  }

  #eof(message: Buffer): void {
    const channel = this.#addressed(message);
    if (channel === undefined) return;
    this.#relay.pass(channel, [channel.event({ t: 'ssh.eof', by: 'client' })], message.length, () => this.#relay.target.send(message));
  }

  #close(message: Buffer): void {
    const channel = this.#addressed(message);
    if (channel === undefined || channel.closedBy.client) return;
    channel.closedBy.client = true;
    this.#onward(channel, message);
    if (channel.closedBy.target) this.#relay.channelOver(channel, 'closed');
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
    const facts = { direction: 'local', ...(type === 'direct-tcpip' ? readTcpForward(fields) : readSocketForward(fields)) };
    const { to } = facts;
    const channel = this.#openChannel(message, type, sender, () => {
      const { session } = this.#relay;
      return session.decide('ssh:forward', facts, session.channelsOpened);
    });
    if (channel === undefined) return;
    channel.started = { action: 'ssh:forward', facts };
    this.#relay.session.startChannel(channel.number, channelKind(type), facts);
    this.#relay.pass(channel, [channel.event({ t: 'forward', ...facts }, `forward to ${to}`)], message.length, () =>
      this.#relay.target.send(message),
    );
  }

  /** Opens a recording and, for sessions, passes the request to open on. */
  #openChannel(
    message: Buffer,
    type: string,
    sender: number,
    decide?: () => { verdict: string; reason: string },
  ): RelayedChannel | undefined {
    const { channels, limits, session, target } = this.#relay;
    if (channels.size >= limits.channelsPerSession) {
      this.#refuseOpen(sender, OpenFailure.RESOURCE_SHORTAGE, `a session may have ${limits.channelsPerSession} channels at once`);
      return undefined;
    }
    const decision = decide?.();
    if (decision !== undefined && decision.verdict !== 'allow') {
      this.#refuseOpen(sender, OpenFailure.PROHIBITED, decision.reason);
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
    if (!channels.nameForClient(channel, sender)) throw violation(`channel ${sender} is open already`);
    if (type === 'session') {
      const onward = this.#banner.reserve(channel, message);
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
      throw violation(`a confirmation of channel ${recipient}, which nobody opened`);
    if (!this.#relay.channels.nameForClient(channel, sender)) throw violation(`channel ${sender} is open already`);
    this.#onward(channel, message);
  }

  #openFailed(message: Buffer): void {
    const { recipient, reason, description } = readChannelOpenFailure(message);
    const channel = this.#relay.channels.addressedByClient(recipient);
    if (channel === undefined || channel.openedBy !== 'target' || channel.clientId !== undefined)
      throw violation(`a refusal of channel ${recipient}, which nobody opened`);
    const refused = channel.event({ t: 'ssh.open-failure', by: 'client', reason, message: description });
    this.#relay.pass(channel, [refused], message.length, () => this.#relay.target.send(message));
    channel.refused = true;
    this.#relay.channelOver(channel, 'refused by the client');
  }

  #channelRequest(message: Buffer): void {
    const channel = this.#addressed(message);
    if (channel === undefined) return;
    const { name, wantReply, fields } = readChannelRequest(message);
    if (channel.replies.outstanding > MAX_OUTSTANDING)
      throw violation(`more than ${MAX_OUTSTANDING} requests without waiting for an answer`);
    switch (name) {
      case 'pty-req': {
        const terminal = { type: fields.text(), cols: fields.uint32(), rows: fields.uint32() };
        fields.uint32(); // the size in pixels
        fields.uint32();
        const modes = fields.bytes().toString('base64');
        fields.end();
        channel.terminal = terminal;
        channel.recording.setTerminal(terminal);
        return this.#passRequest(channel, message, wantReply, {
          request: name,
          term: terminal.type,
          cols: terminal.cols,
          rows: terminal.rows,
          modes,
        });
      }
      case 'env': {
        const variable = fields.bytes();
        const value = fields.bytes();
        fields.end();
        const passed = mayPass(variable.toString(), this.#relay.environment);
        const facts = { request: name, ...textFact('name', variable), ...textFact('value', value), passed };
        return passed ? this.#passRequest(channel, message, wantReply, facts) : this.#refuseRequest(channel, message, wantReply, facts);
      }
      case 'shell':
        fields.end();
        return this.#start(channel, message, wantReply, 'ssh:shell', 'shell', {});
      case 'exec': {
        const command = fields.bytes();
        fields.end();
        return this.#start(channel, message, wantReply, 'ssh:exec', 'exec', textFact('command', command));
      }
      case 'subsystem': {
        const subsystem = fields.bytes();
        fields.end();
        return this.#start(channel, message, wantReply, 'ssh:subsystem', 'subsystem', textFact('name', subsystem));
      }
      case 'window-change': {
        const cols = fields.uint32();
        const rows = fields.uint32();
        fields.uint32(); // the size in pixels
        fields.uint32();
        fields.end();
        this.#countReply(channel, wantReply);
        this.#relay.pass(channel, [{ kind: 'resize', at: channel.recording.now(), cols, rows }], message.length, () =>
          this.#relay.target.send(message),
        );
        return;
      }
      case 'signal': {
        const signal = fields.text();
        fields.end();
        return this.#passRequest(channel, message, wantReply, { request: name, signal }, `signal ${signal}`);
      }
      case 'break': {
        const milliseconds = fields.uint32();
        fields.end();
        return this.#passRequest(channel, message, wantReply, { request: name, milliseconds });
      }
      case 'auth-agent-req@openssh.com': {
        fields.end();
        const decision = this.#relay.session.decide('ssh:agent-forward', {}, channel.number);
        const facts = { request: name, passed: decision.verdict === 'allow' };
        if (facts.passed) this.#relay.asked.agent = true;
        return facts.passed
          ? this.#passRequest(channel, message, wantReply, facts)
          : this.#refuseRequest(channel, message, wantReply, facts);
      }
      case 'eow@openssh.com':
        fields.end();
        return this.#passRequest(channel, message, wantReply, { request: name });
      default:
        // Among them x11-req. What we don't understand we can't record, so it goes no further.
        return this.#refuseRequest(channel, message, wantReply, { request: name, passed: false });
    }
  }

  /** A command, a shell or a subsystem: decided, recorded, then passed on. */
  #start(channel: RelayedChannel, message: Buffer, wantReply: boolean, action: Action, kind: string, facts: Record<string, unknown>): void {
    const { session } = this.#relay;
    if (channel.started !== undefined) return this.#refuseRequest(channel, message, wantReply, { request: kind, ...facts, passed: false });
    const terminal = channel.terminal === undefined ? {} : { terminal: channel.terminal };
    const sftp = kind === 'subsystem' && facts.name === 'sftp';
    session.startChannel(channel.number, sftp ? 'sftp' : kind, { ...facts, ...terminal });
    const decision = session.decide(action, { ...facts, terminal: channel.terminal !== undefined }, channel.number);
    const { verdict, policies, reason } = decision;
    const decided = channel.event({ t: 'decision', action, verdict, policies: [...policies] });
    if (verdict !== 'allow') {
      this.#relay.pass(channel, [decided], 0, () => undefined);
      this.#refuseRequest(channel, message, wantReply, { request: kind, ...facts, passed: false });
      session.end(new SallyportError('ACTION_DENIED', reason));
      return;
    }
    channel.started = { action, facts: { ...facts, terminal: channel.terminal !== undefined } };
    if (sftp) channel.observer = new SftpObserver();
    if (wantReply) channel.replies.passedOn((reply) => this.#answered(channel, reply));
    const label = kind === 'exec' ? `$ ${String(facts.command)}` : kind === 'subsystem' ? `subsystem ${String(facts.name)}` : 'shell';
    const frames = [decided, channel.event({ t: 'ssh.request', request: kind, ...facts }, label)];
    // The operations say it all; the bytes of the protocol around them are only counted and hashed.
    if (sftp) frames.push(channel.event({ t: 'content', kept: 'digest' }));
    this.#relay.pass(channel, frames, message.length, () => this.#relay.target.send(message));
    if (kind === 'shell' && channel.terminal !== undefined) this.#banner.show(channel);
  }

  /** Only one start can succeed on a channel (RFC 4254 section 6.5): after a refusal the client may try another. */
  #answered(channel: RelayedChannel, reply: Buffer): void {
    const { started } = channel;
    if (reply[0] !== MessageType.CHANNEL_FAILURE || started === undefined) return;
    this.#relay.session.finished(channel.number, started.action, started.facts, undefined, { refused: true }, true);
    channel.started = undefined;
    channel.observer = undefined;
  }

  #passRequest(channel: RelayedChannel, message: Buffer, wantReply: boolean, facts: Record<string, unknown>, marker?: string): void {
    this.#countReply(channel, wantReply);
    this.#relay.pass(channel, [channel.event({ t: 'ssh.request', ...facts }, marker)], message.length, () =>
      this.#relay.target.send(message),
    );
  }

  #refuseRequest(channel: RelayedChannel, message: Buffer, wantReply: boolean, facts: Record<string, unknown>): void {
    this.#relay.pass(channel, [channel.event({ t: 'ssh.request', ...facts })], message.length, () => undefined);
    const { clientId } = channel;
    // A channel that the target has closed may be forgotten by the client already.
    if (wantReply && clientId !== undefined && !channel.closedBy.target)
      channel.replies.answered(writeMessage(MessageType.CHANNEL_FAILURE, clientId));
  }

  #countReply(channel: RelayedChannel, wantReply: boolean): void {
    if (wantReply) channel.replies.passedOn();
  }

  #channelReply(message: Buffer): void {
    const channel = this.#addressed(message);
    if (channel === undefined) return;
    if (!channel.repliesToTarget.arrived(message)) throw violation('a reply to a request that nobody made');
  }

  #globalRequest(message: Buffer): void {
    const { clientReplies, session, target, targetOwes } = this.#relay;
    if (clientReplies.outstanding > MAX_OUTSTANDING) throw violation(`more than ${MAX_OUTSTANDING} requests without waiting for an answer`);
    const { name, wantReply, fields } = readGlobalRequest(message);
    if (name === 'no-more-sessions@openssh.com') this.#noMoreSessions = true;
    const cancels = name === 'cancel-tcpip-forward' || name === 'cancel-streamlocal-forward@openssh.com';
    const forwards = name === 'tcpip-forward' || name === 'streamlocal-forward@openssh.com';
    if (forwards || cancels) {
      const address = name.includes('streamlocal') ? fields.text() : `${fields.text()}:${fields.uint32()}`;
      fields.end();
      const allowed =
        cancels || session.decide('ssh:forward', { direction: 'remote', listen: address }, session.channelsOpened).verdict === 'allow';
      if (allowed) {
        if (forwards) this.#relay.asked.remoteForward = true;
        if (wantReply) {
          clientReplies.passedOn();
          targetOwes.push('client');
        }
        this.#relay.follow(() => target.send(message), message.length);
        return;
      }
    }
    if (wantReply) clientReplies.answered(writeMessage(MessageType.REQUEST_FAILURE));
  }

  #onward(channel: RelayedChannel | undefined, message: Buffer): void {
    if (channel !== undefined) this.#relay.follow(() => this.#relay.target.send(message), message.length);
  }

  /** The channel that a message is addressed to. Undefined when the client itself has closed it: what follows is void. */
  #addressed(message: Buffer): RelayedChannel | undefined {
    const recipient = readRecipient(message);
    const channel = this.#relay.channels.addressedByClient(recipient);
    if (channel === undefined || channel.clientId === undefined) throw violation(`a message for channel ${recipient}, which is not open`);
    return channel.closedBy.client ? undefined : channel;
  }
}

export function newChannel(relay: SshRelay, openedBy: 'client' | 'target', type: string, recording: ChannelRecording): RelayedChannel {
  const toClient = new ReplyOrder((reply) => relay.follow(() => relay.client.send(reply)));
  const toTarget = new ReplyOrder((reply) => relay.follow(() => relay.target.send(reply)));
  return new RelayedChannel(openedBy, type, recording, toClient, toTarget);
}

function readTcpForward(fields: FieldReader): { from: string; to: string } {
  const to = `${fields.text()}:${fields.uint32()}`;
  const from = `${fields.text()}:${fields.uint32()}`;
  fields.end();
  return { from, to };
}

/** `direct-streamlocal@openssh.com` has two reserved fields (PROTOCOL of OpenSSH, section 2.4). */
function readSocketForward(fields: FieldReader): { from: string; to: string } {
  const to = fields.text();
  fields.bytes();
  fields.uint32();
  fields.end();
  return { from: 'the client', to };
}

function violation(what: string): SallyportError {
  return new SallyportError('PROTOCOL_VIOLATION', `the client broke the SSH connection protocol: ${what}`);
}
