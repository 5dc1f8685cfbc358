import type { Action } from '../../../contract/policy.ts';
import { printable } from '../../base/printable.ts';
import { clientViolation } from './client-violation.ts';
import { MessageType, readChannelRequest, textFact, writeMessage } from './connection-messages.ts';
import { cutOff, decideOn } from './gatekeeper.ts';
import type { RelayedChannel } from './relayed-channel.ts';
import { SftpGate } from './sftp-gate.ts';
import { SftpObserver } from './sftp-observer.ts';
import type { SshRelay } from './ssh-relay.ts';
import { mayPass } from './ssh-target.ts';
import type { TargetBanner } from './target-banner.ts';

/** Requests that may wait for an answer at once. Who asks more does not mean it. */
export const MAX_OUTSTANDING = 1024;

/** The variable in which a client says why it asks; it goes to the reviewer and not to the target. */
const JUSTIFICATION = Buffer.from('SALLYPORT_REASON');
const MAX_JUSTIFICATION = 1000;

/** What is to be started on a channel; `decided` are the facts that were decided on. */
interface Start {
  readonly action: Action;
  readonly kind: string;
  readonly facts: Readonly<Record<string, string>>;
  readonly decided: Readonly<Record<string, unknown>>;
  readonly sftp: boolean;
}

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
        if (!this.#relay.session.mayHaveTerminal)
          return this.#refuseRequest(channel, message, wantReply, { request: name, term: terminal.type, passed: false });
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
        if (variable.equals(JUSTIFICATION)) {
          channel.justification = printable(value.toString('utf8').slice(0, MAX_JUSTIFICATION));
          return this.#refuseRequest(channel, message, wantReply, {
            request: name,
            ...textFact('name', variable),
            ...textFact('value', value),
            passed: false,
          });
        }
        const passed = mayPass(variable.toString(), this.#relay.environment);
        const facts = { request: name, ...textFact('name', variable), ...textFact('value', value), passed };
        return passed ? this.#passRequest(channel, message, wantReply, facts) : this.#refuseRequest(channel, message, wantReply, facts);
      }
      case 'shell':
        fields.end();
        return this.#startAllowed(channel, message, wantReply, 'ssh:shell', 'shell', {});
      case 'exec': {
        const command = fields.bytes();
        fields.end();
        return this.#startAllowed(channel, message, wantReply, 'ssh:exec', 'exec', textFact('command', command));
      }
      case 'subsystem': {
        const subsystem = fields.bytes();
        fields.end();
        return this.#startAllowed(channel, message, wantReply, 'ssh:subsystem', 'subsystem', textFact('name', subsystem));
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
        const refuse = (): void => this.#refuseRequest(channel, message, wantReply, { request: name, passed: false });
        if (!this.#relay.session.mayForwardAgent) {
          this.#relay.session.prohibit('ssh:agent-forward', {}, channel.number, 'certificate.permit-agent-forwarding');
          return refuse();
        }
        return decideOn(
          this.#relay,
          channel,
          'ssh:agent-forward',
          {},
          {
            proceed: () => {
              this.#relay.asked.agent = true;
              this.#passRequest(channel, message, wantReply, { request: name, passed: true });
            },
            refuse,
          },
        );
      }
      case 'eow@openssh.com':
        fields.end();
        return this.#passRequest(channel, message, wantReply, { request: name });
      default:
        // Among them x11-req. What we don't understand we can't record, so it goes no further.
        return this.#refuseRequest(channel, message, wantReply, { request: name, passed: false });
    }
  }

  /** A command that a certificate prescribes takes the place of whatever is asked for (`force-command`). */
  #startAllowed(
    channel: RelayedChannel,
    message: Buffer,
    wantReply: boolean,
    action: Action,
    kind: string,
    facts: Readonly<Record<string, string>>,
  ): void {
    const { forcedCommand } = this.#relay.session;
    const { targetId } = channel;
    if (forcedCommand === undefined || targetId === undefined) return this.#start(channel, message, wantReply, action, kind, facts);
    const forced = writeMessage(MessageType.CHANNEL_REQUEST, targetId, 'exec', wantReply, forcedCommand);
    const asked = kind === 'exec' ? facts.command : kind === 'subsystem' ? `subsystem ${facts.name}` : undefined;
    return this.#start(channel, forced, wantReply, 'ssh:exec', 'exec', {
      command: forcedCommand,
      ...(asked === undefined ? {} : { insteadOf: asked }),
    });
  }

  /** A command, a shell or a subsystem: decided, recorded, then passed on. */
  #start(
    channel: RelayedChannel,
    message: Buffer,
    wantReply: boolean,
    action: Action,
    kind: string,
    facts: Readonly<Record<string, string>>,
  ): void {
    const { session } = this.#relay;
    if (channel.started !== undefined) return this.#refuseRequest(channel, message, wantReply, { request: kind, ...facts, passed: false });
    const terminal = channel.terminal === undefined ? {} : { terminal: channel.terminal };
    const sftp = kind === 'subsystem' && facts.name === 'sftp';
    session.startChannel(channel.number, sftp ? 'sftp' : kind, { ...facts, ...terminal });
    const decided = { ...facts, terminal: channel.terminal !== undefined };
    decideOn(this.#relay, channel, action, decided, {
      proceed: () => this.#begin(channel, message, wantReply, { action, kind, facts, decided, sftp }),
      refuse: (error) => {
        const refused = channel.event({ t: 'ssh.request', request: kind, ...facts, passed: false });
        this.#relay.pass(channel, [refused], message.length, () => undefined);
        cutOff(this.#relay, channel, error, wantReply);
      },
    });
  }

  #begin(channel: RelayedChannel, message: Buffer, wantReply: boolean, { action, kind, facts, decided, sftp }: Start): void {
    channel.started = { action, facts: decided };
    if (sftp) {
      const observer = new SftpObserver();
      channel.observer = observer;
      channel.gate = new SftpGate(this.#relay, channel, observer);
    }
    if (wantReply) channel.replies.passedOn((reply) => this.#answered(channel, reply));
    const label = kind === 'exec' ? `$ ${String(facts.command)}` : kind === 'subsystem' ? `subsystem ${String(facts.name)}` : 'shell';
    const frames = [channel.event({ t: 'ssh.request', request: kind, ...facts }, label)];
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
    channel.gate = undefined;
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
