import { SallyportError } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';
import { runSession, type SessionAttempt, type Waiting } from '../../session/run-session.ts';
import type { Session } from '../../session/session.ts';
import type { SessionParts } from '../../session/session-parts.ts';
import { converse } from './converse.ts';
import type { LocalEndpoint } from './local-endpoint.ts';
import { chooseTarget, MENU_USER } from './menu.ts';
import type { MessagePort } from './message-port.ts';
import { noticeEndpoint } from './notice.ts';
import { openShellTarget } from './shell-target.ts';
import type { SshClient } from './ssh-listener.ts';
import { type RelayLimits, SshRelay } from './ssh-relay.ts';
import type { SshReachable, SshTargetSettings } from './ssh-target.ts';
import { connectToTarget, type TargetConnectOptions } from './target-connection.ts';
import { WaitingRoom } from './waiting-room.ts';

export interface SshServing {
  readonly parts: SessionParts<SshReachable>;
  readonly limits: () => RelayLimits & { readonly handshake: number };
  readonly connect: () => TargetConnectOptions;
  /** Reads the credential of a target; throws TARGET_CREDENTIAL_MISSING. */
  readonly credential: (target: SshTargetSettings) => {
    readonly password?: Secret;
    readonly privateKey?: Secret;
    readonly passphrase?: Secret;
  };
}

/** A client that has logged in, until it has gone. The user name is `TARGET` or `LOGIN+TARGET`. */
export async function serveSshClient(client: SshClient, serving: SshServing): Promise<void> {
  const { parts } = serving;
  let port: MessagePort = client.port;
  let requested = client.user;
  if (requested === MENU_USER || requested === client.who.actor.principal) {
    const chosen = await chooseTarget(client.port, client.who, parts);
    if (chosen === undefined) return;
    port = chosen.port;
    requested = chosen.target;
  }
  const { login, target } = splitUser(requested, parts.inForce().targets);
  await runSession(new SshAttempt(client, port, requested, login, target, serving), parts);
}

/** `login+target`. A target's own name may have a plus in it: then the whole is its name. */
function splitUser(user: string, targets: ReadonlyMap<string, unknown>): { login: string | undefined; target: string } {
  const plus = user.indexOf('+');
  return plus <= 0 || targets.has(user) ? { login: undefined, target: user } : { login: user.slice(0, plus), target: user.slice(plus + 1) };
}

class SshAttempt implements SessionAttempt<SshReachable, MessagePort> {
  readonly protocol = 'ssh';
  readonly who;
  readonly requested: string;
  readonly client: string;
  readonly transport;
  readonly target: string;
  #port: MessagePort;
  #room: WaitingRoom | undefined;
  readonly #login: string | undefined;
  readonly #serving: SshServing;
  #target: SshReachable | undefined;

  constructor(client: SshClient, port: MessagePort, requested: string, login: string | undefined, target: string, serving: SshServing) {
    this.who = client.who;
    this.client = client.software;
    this.transport = client.port.negotiated;
    this.requested = requested;
    this.target = target;
    this.#port = port;
    this.#login = login;
    this.#serving = serving;
  }

  wait(): Waiting {
    this.#room = new WaitingRoom(this.#port);
    return this.#room;
  }

  async connect(target: SshReachable, _session: Session, durable: Promise<unknown>): Promise<MessagePort> {
    this.#target = target;
    if (this.#room !== undefined) {
      this.#port = this.#room.handOver();
      this.#room = undefined;
    }
    if (this.#login !== undefined && target.kind === 'ssh' && this.#login !== target.login) {
      throw new SallyportError('ACCESS_DENIED', `${target.name} is reached as ${target.login}, not as ${this.#login}`, {
        remedy: `use ${target.name}@ or ${target.login}+${target.name}@`,
      });
    }
    if (target.kind === 'shell') {
      const shell: LocalEndpoint = await openShellTarget(target);
      await durable;
      return shell;
    }
    return connectToTarget(target, this.#serving.credential(target), this.#serving.connect(), durable);
  }

  relay(upstream: MessagePort, session: Session): Promise<string> {
    const limits = this.#serving.limits();
    const idle = this.#target?.idle ?? limits.idle;
    return new SshRelay(
      session,
      this.#port,
      upstream,
      { ...limits, idle },
      this.#target?.environment ?? [],
      this.#serving.parts.recorder,
    ).run();
  }

  /** Tells the client in its own terminal. One that starts nothing is told by the end of the connection. */
  async refuse(error: SallyportError): Promise<void> {
    const timer = setTimeout(() => this.#port.end(error), this.#serving.limits().handshake * 1000);
    const room = this.#room;
    if (room?.refuse(error) === true) {
      // The client closes the connection once it has heard.
      await new Promise<void>((resolve) => {
        if (room.gone.aborted) resolve();
        else room.gone.addEventListener('abort', () => resolve(), { once: true });
      });
      clearTimeout(timer);
      this.#port.end();
      return;
    }
    await converse(this.#port, noticeEndpoint(error));
    clearTimeout(timer);
  }
}
