import { SallyportError } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';
import { runSession, type SessionAttempt, type Waiting } from '../../session/run-session.ts';
import type { Session } from '../../session/session.ts';
import type { SessionParts } from '../../session/session-parts.ts';
import { converse } from './converse.ts';
import { answerJump, jumpedRequest } from './jump.ts';
import { JumpPort } from './jump-port.ts';
import type { LocalEndpoint } from './local-endpoint.ts';
import { chooseTarget, MENU_USER } from './menu.ts';
import type { MessagePort } from './message-port.ts';
import { noticeEndpoint } from './notice.ts';
import { openShellTarget } from './shell-target.ts';
import type { SshClient, Through } from './ssh-listener.ts';
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

/**
 * A client that has logged in, until it has gone. The user name is `TARGET` or `LOGIN+TARGET`. One that names no target
 * may be here to jump (`ssh -J`); it then comes back through itself, with its target fixed and its login as user name.
 */
export async function serveSshClient(client: SshClient, serving: SshServing): Promise<void> {
  const way = client.through === undefined ? await findWay(client, serving) : jumpedWay(client, client.through, serving);
  if (way !== undefined) await runSession(new SshAttempt(client, way, serving), serving.parts);
}

/** Where a client wants to go, and how it is spoken with from there on. */
interface Way {
  readonly port: MessagePort;
  readonly requested: string;
  readonly login: string | undefined;
  readonly target: string;
  /** The port itself lets a client go that asks for nothing. */
  readonly watched?: boolean;
}

async function findWay(client: SshClient, serving: SshServing): Promise<Way | undefined> {
  const { parts } = serving;
  const { targets } = parts.inForce();
  const way = { port: client.port, requested: client.user, ...splitUser(client.user, targets) };
  const wantsMenu = client.user === MENU_USER || client.user === client.who.actor.principal;
  if (!wantsMenu && targets.has(way.target)) return way;
  const { channelsPerSession, handshake } = serving.limits();
  const limits = { channels: channelsPerSession, seconds: handshake, draining: () => parts.live.draining };
  const port = new JumpPort(client.port, limits, (host, at) => answerJump(client, host, at, parts));
  const somethingElse = await port.asked();
  // Who came for a jump and left has asked for nothing that could be refused.
  if (!somethingElse && (wantsMenu || port.jumped)) return undefined;
  if (!wantsMenu) return { ...way, port, watched: true };
  port.handOver();
  const chosen = await chooseTarget(port, client.who, parts);
  return chosen && { port: chosen.port, requested: chosen.target, ...splitUser(chosen.target, parts.inForce().targets) };
}

function jumpedWay(client: SshClient, { to }: Through, { parts }: SshServing): Way {
  return { port: client.port, ...jumpedRequest(client.user, to, parts) };
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
  readonly via;
  readonly #way: Way;
  #port: MessagePort;
  #room: WaitingRoom | undefined;
  readonly #serving: SshServing;
  readonly #brokenOff = new AbortController();
  #target: SshReachable | undefined;

  constructor(client: SshClient, way: Way, serving: SshServing) {
    this.who = client.who;
    this.client = client.software;
    this.transport = client.port.negotiated;
    this.via = client.through?.via;
    this.requested = way.requested;
    this.target = way.target;
    this.#way = way;
    this.#port = way.port;
    this.#serving = serving;
  }

  wait(): Waiting {
    this.#room = new WaitingRoom(this.#port);
    return this.#room;
  }

  async connect(target: SshReachable, session: Session, durable: Promise<unknown>): Promise<MessagePort> {
    this.#target = target;
    if (this.#room !== undefined) {
      this.#port = this.#room.handOver();
      this.#room = undefined;
    }
    const { login } = this.#way;
    if (login !== undefined && target.kind === 'ssh' && login !== target.login) {
      throw new SallyportError('ACCESS_DENIED', `${target.name} is reached as ${target.login}, not as ${login}`, {
        remedy: `use ${target.name}@ or ${target.login}+${target.name}@`,
      });
    }
    if (target.kind === 'shell') {
      const shell: LocalEndpoint = await openShellTarget(target);
      await durable;
      return shell;
    }
    // An end that comes meanwhile breaks it off. Until the relay listens for it, that is.
    const { signal } = this.#brokenOff;
    session.onEnd((reason) => this.#brokenOff.abort(reason));
    return connectToTarget(target, this.#serving.credential(target), { ...this.#serving.connect(), signal }, durable);
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
      () => this.#serving.parts.inForce().targets.values(),
      this.#serving.parts.recorder,
    ).run();
  }

  /** Tells the client in its own terminal. One that starts nothing is told by the end of the connection. */
  async refuse(error: SallyportError): Promise<void> {
    const { watched } = this.#way;
    const port = this.#port;
    // A session that was ended from here is over whether its client listens or not.
    if (this.#brokenOff.signal.aborted) port.end(error);
    const timer = watched === true ? undefined : setTimeout(() => port.end(error), this.#serving.limits().handshake * 1000);
    if (this.#room?.refuse(error) === true) {
      // The client closes the connection once it has heard.
      await aborted(this.#room.gone);
      port.end();
    } else {
      await converse(port, noticeEndpoint(error));
    }
    clearTimeout(timer);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
