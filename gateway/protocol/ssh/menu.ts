import type { TargetFacts } from '../../../contract/policy.ts';
import type { Authenticated } from '../../session/session.ts';
import type { SessionParts } from '../../session/session-parts.ts';
import { targetsFor } from '../../session/visible-targets.ts';
import {
  MalformedMessage,
  MessageType,
  OpenFailure,
  readChannelOpen,
  readChannelRequest,
  readRecipient,
  writeMessage,
} from './connection-messages.ts';
import { converse } from './converse.ts';
import { HandedOverPort } from './handed-over-port.ts';
import { type LocalChannel, type LocalChannelHandler, LocalEndpoint } from './local-endpoint.ts';
import type { MessagePort } from './message-port.ts';

/** The user name that asks for the menu; one's own name does as well. */
export const MENU_USER = 'menu';

/** Away from the small numbers that real targets give their channels: the client keeps using it after the choice. */
const MENU_CHANNEL = 0x5a11_0000;
const PATIENCE_MILLISECONDS = 120_000;
const MAX_ANSWER = 128;
/** What may be typed ahead. Less than any target's window, which takes over from it. */
const MENU_WINDOW = 2048;
/** Bytes of requests that are kept for the target. */
const MAX_REMEMBERED = 256 * 1024;
const EXIT_NO_CHOICE = 2;

export interface Choice {
  readonly target: string;
  /** The client as the chosen target is to see it. */
  readonly port: MessagePort;
}

/** Lets a client on a terminal choose its target; without a terminal it gets the list and exit status 2. */
export async function chooseTarget(
  client: MessagePort,
  who: Authenticated,
  parts: Pick<SessionParts, 'inForce' | 'clock'>,
): Promise<Choice | undefined> {
  const targets = await targetsFor(who, parts);
  return new Promise((resolve, reject) => {
    const before: Buffer[] = [];
    let remembered = 0;
    let open: Buffer | undefined;
    const patience = setTimeout(() => client.end(), PATIENCE_MILLISECONDS);
    const choose = (channel: LocalChannel) => (target: string, ahead: Buffer) => {
      clearTimeout(patience);
      if (open === undefined) return;
      const said = ahead.length === 0 ? before : [...before, writeMessage(MessageType.CHANNEL_DATA, MENU_CHANNEL, ahead)];
      resolve({ target, port: new HandedOverPort(client, { channel, id: MENU_CHANNEL, open, said, answered: true }) });
    };
    const endpoint = new LocalEndpoint((channel) => new Menu(channel, targets, choose(channel)), MENU_CHANNEL, MENU_WINDOW);
    const listen = (message: Buffer): boolean => {
      if (message[0] === MessageType.CHANNEL_OPEN) {
        const { type, sender } = readChannelOpen(message);
        if (open !== undefined || type !== 'session') {
          client.send(
            writeMessage(MessageType.CHANNEL_OPEN_FAILURE, sender, OpenFailure.PROHIBITED, 'sallyport: choose a target first', ''),
          );
          return false;
        }
        open = message;
      } else if (message[0] === MessageType.CHANNEL_REQUEST && readRecipient(message) === MENU_CHANNEL && concernsTarget(message)) {
        remembered += message.length;
        if (remembered > MAX_REMEMBERED) throw new MalformedMessage('more requests than a session begins with');
        before.push(message);
      }
      return true;
    };
    converse(client, endpoint, listen).then(() => {
      clearTimeout(patience);
      resolve(undefined);
    }, reject);
  });
}

/** What the target has to be told again once it is chosen. */
function concernsTarget(message: Buffer): boolean {
  return ['pty-req', 'env', 'shell', 'window-change', 'auth-agent-req@openssh.com'].includes(readChannelRequest(message).name);
}

class Menu implements LocalChannelHandler {
  readonly #channel: LocalChannel;
  readonly #targets: readonly TargetFacts[];
  readonly #choose: (target: string, ahead: Buffer) => void;
  #terminal = false;
  #answer = '';
  #over = false;

  constructor(channel: LocalChannel, targets: readonly TargetFacts[], choose: (target: string, ahead: Buffer) => void) {
    this.#channel = channel;
    this.#targets = targets;
    this.#choose = choose;
  }

  request(name: string): boolean {
    if (name === 'pty-req') this.#terminal = true;
    return ['pty-req', 'shell', 'exec', 'subsystem', 'window-change'].includes(name);
  }

  replied(name: string): void {
    if (name === 'pty-req' || name === 'window-change') return;
    this.#line(this.#targets.length === 0 ? 'You may reach no target yet; ask whoever runs this gateway.' : 'You may reach:');
    this.#targets.forEach(({ name: target, kind, tags }, index) => {
      const tagged = Object.entries(tags).map(([key, value]) => `${key}=${value}`);
      this.#line(`  ${String(index + 1).padStart(2)}  ${target}  ${[kind, ...tagged].join(' ')}`);
    });
    if (!this.#terminal || name !== 'shell' || this.#targets.length === 0) {
      this.#line('Connect as TARGET@this-gateway.');
      this.#end(EXIT_NO_CHOICE);
      return;
    }
    this.#prompt();
  }

  data(bytes: Buffer): void {
    this.#channel.consumed(bytes.length);
    for (const [index, byte] of bytes.entries()) {
      if (this.#over) return;
      const chosen = this.#typed(String.fromCharCode(byte));
      if (chosen === undefined) continue;
      this.#over = true;
      // What was typed ahead is the target's.
      this.#choose(chosen, bytes.subarray(index + 1));
    }
  }

  eof(): void {
    if (!this.#over) this.#end(EXIT_NO_CHOICE);
  }

  closed(): void {
    this.#over = true;
  }

  pause(): void {}

  /** The name of a target once one is chosen. */
  #typed(character: string): string | undefined {
    if (character === '\u0003' || (character === '\u0004' && this.#answer === '')) {
      this.#end(EXIT_NO_CHOICE);
    } else if (character === '\r' || character === '\n') {
      this.#line('');
      return this.#decide(this.#answer.trim());
    } else if (character === '\u007f' || character === '\b') {
      if (this.#answer === '') return undefined;
      this.#answer = this.#answer.slice(0, -1);
      this.#channel.write('\b \b');
    } else if (character >= ' ' && character <= '~' && this.#answer.length < MAX_ANSWER) {
      this.#answer += character;
      this.#channel.write(character);
    }
    return undefined;
  }

  #decide(answer: string): string | undefined {
    this.#answer = '';
    const byNumber = /^\d+$/.test(answer) ? this.#targets[Number(answer) - 1] : undefined;
    const chosen = this.#targets.find(({ name }) => name === answer) ?? byNumber;
    if (chosen === undefined) {
      if (answer !== '') this.#line(`There is no "${answer}" here.`);
      this.#prompt();
    }
    return chosen?.name;
  }

  #prompt(): void {
    this.#channel.write('Number or name: ');
  }

  #line(text: string): void {
    this.#channel.write(this.#terminal ? `${text}\r\n` : `${text}\n`, !this.#terminal);
  }

  #end(status: number): void {
    this.#over = true;
    this.#channel.finish(status);
  }
}
