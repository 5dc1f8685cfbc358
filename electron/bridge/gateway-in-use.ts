import type { KnownGateway } from '../../contract/desktop-bridge.ts';
import { DesktopError } from '../base/desktop-error.ts';
import { type Answer, type Asked, PinnedClient } from '../gateway/pinned-client.ts';
import type { KnownGateways, TrustedGateway } from '../keep/known-gateways.ts';
import type { LogIn, LogIns } from '../keep/log-ins.ts';

export interface LoggedInGateway {
  readonly gateway: TrustedGateway;
  readonly client: PinnedClient;
  readonly logIn: LogIn;
}

export interface InUseEvents {
  /** Another one is in use, or the list changed, or somebody logged in. */
  changed(): void;
  /** The log-in at the gateway in use is over, without this device having ended it. */
  loggedOut(reason: string): void;
}

/** The gateway that the page talks to: its connections, and the log-in that requests to it get. */
export class GatewayInUse {
  readonly known: KnownGateways;
  readonly #logIns: LogIns;
  readonly #events: InUseEvents;
  #client: PinnedClient | undefined;

  constructor(known: KnownGateways, logIns: LogIns, events: InUseEvents) {
    this.known = known;
    this.#logIns = logIns;
    this.#events = events;
  }

  list(): KnownGateway[] {
    return this.known.all().map((gateway) => this.describe(gateway));
  }

  describe({ id, name, origin, fingerprint }: TrustedGateway): KnownGateway {
    const current = this.known.current()?.id === id;
    return { id, name, origin, fingerprint, current, loggedIn: this.#logIns.of(id) !== undefined };
  }

  /** Throws LOGIN_REQUIRED when none is in use: to get in begins with choosing one. */
  reach(): { readonly gateway: TrustedGateway; readonly client: PinnedClient; readonly logIn: LogIn | undefined } {
    const gateway = this.known.current();
    if (gateway === undefined)
      throw new DesktopError('LOGIN_REQUIRED', 'No gateway is in use', { remedy: 'choose one, or connect to a new one' });
    if (this.#client?.gateway.origin !== gateway.origin || this.#client.gateway.fingerprint !== gateway.fingerprint) {
      this.#client?.close();
      this.#client = new PinnedClient({ origin: gateway.origin, fingerprint: gateway.fingerprint });
    }
    return { gateway, client: this.#client, logIn: this.#logIns.of(gateway.id) };
  }

  /** Throws LOGIN_REQUIRED. */
  reachLoggedIn(): LoggedInGateway {
    const { gateway, client, logIn } = this.reach();
    if (logIn === undefined)
      throw new DesktopError('LOGIN_REQUIRED', `You are not logged in to ${gateway.origin}`, { remedy: 'log in first' });
    return { gateway, client, logIn };
  }

  /** A request of the page. What the gateway answers is the page's, whatever it is. */
  async ask(asked: Asked): Promise<Answer> {
    const { gateway, client, logIn } = this.reach();
    const answer = await client.ask({ ...asked, token: logIn?.token });
    if (answer.status === 401 && logIn !== undefined) await this.isOver(gateway, logIn, 'the gateway does not take it any more');
    return answer;
  }

  async loggedIn(gateway: TrustedGateway, logIn: LogIn): Promise<void> {
    await this.#logIns.keep(gateway.id, logIn);
    this.#events.changed();
  }

  /** This device ends it. */
  async logOut(gateway: TrustedGateway): Promise<void> {
    await this.#logIns.drop(gateway.id);
    this.#events.changed();
  }

  /** A log-in that was used turned out to be good no more, unless another one has taken its place meanwhile. */
  async isOver(gateway: TrustedGateway, logIn: LogIn, reason: string): Promise<void> {
    if (this.#logIns.of(gateway.id)?.token !== logIn.token) return;
    await this.#logIns.drop(gateway.id);
    if (this.known.current()?.id === gateway.id) this.#events.loggedOut(reason);
    this.#events.changed();
  }

  async trust(gateway: { origin: string; fingerprint: string; name: string }): Promise<TrustedGateway> {
    const before = this.known.at(gateway.origin);
    const trusted = await this.known.trust(gateway);
    // A log-in is good at the certificate that it was made at.
    if (before !== undefined && before.id !== trusted.id) await this.#logIns.drop(before.id);
    this.#events.changed();
    return trusted;
  }

  async use(id: string): Promise<TrustedGateway> {
    const gateway = await this.known.use(id);
    this.#events.changed();
    return gateway;
  }

  async remove(id: string): Promise<void> {
    await this.known.remove(id);
    await this.#logIns.drop(id);
    this.#events.changed();
  }

  close(): void {
    this.#client?.close();
    this.#client = undefined;
  }
}
