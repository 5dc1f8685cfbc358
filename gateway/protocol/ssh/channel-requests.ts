import type { Action } from '../../../contract/policy.ts';
import { SallyportError } from '../../base/errors.ts';
import { clientViolation } from './client-violation.ts';
import { MessageType, readChannelRequest, textFact, writeMessage } from './connection-messages.ts';
import type { RelayedChannel } from './relayed-channel.ts';
import { SftpObserver } from './sftp-observer.ts';
import type { SshRelay } from './ssh-relay.ts';
import { mayPass } from './ssh-target.ts';
import type { TargetBanner } from './target-banner.ts';

/** Requests that may wait for an answer at once. Who asks more does not mean it. */
export const MAX_OUTSTANDING = 1024;

/** What the client asks of a session channel (RFC 4254 section 6): a terminal, variables, a command, a signal. */
export class ChannelRequests {
  readonly #relay: SshRelay;
  readonly #banner: TargetBanner;

  constructor(relay: SshRelay, banner: TargetBanner) {
    this.#relay = relay;
    this.#banner = banner;
  }

  handle(channel: RelayedChannel, message: Buffer): void {
    const { name, wantReply, fields } = readChannelRequest(message);
    if (channel.replies.outstanding > MAX_OUTSTANDING)
      throw clientViolation(`more than ${MAX_OUTSTANDING} requests without waiting for an answer`);
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
    if (channel.observer === undefined) return;
    // What follows is not SFTP, and is recorded like anything else.
    channel.observer = undefined;
    this.#relay.pass(channel, [channel.event({ t: 'content', kept: 'detect' })], 0, () => undefined);
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
}
