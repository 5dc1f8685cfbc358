import { createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import ssh2, { type AuthContext, type Connection } from 'ssh2';
import { asSallyportError, SallyportError } from '../../base/errors.ts';
import { recordFailedLogin } from '../../session/authenticate.ts';
import type { Authenticated } from '../../session/session.ts';
import type { SessionParts } from '../../session/session-parts.ts';
import type { Listener } from '../listener.ts';
import { Admission } from './admission.ts';
import { listenerOffer } from './algorithms.ts';
import type { HostKey } from './host-key.ts';
import type { JumpDestination } from './jump.ts';
import { judgeOfferedKey } from './offered-key.ts';
import type { SshReachable } from './ssh-target.ts';
import { Ssh2Transport } from './ssh2-transport.ts';

export interface SshListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly hostKey: HostKey;
  /** How the gateway names itself in records. */
  readonly name: string;
  readonly ident: string;
  readonly banner?: string;
  readonly weakAlgorithms: readonly string[];
  readonly rekey: { readonly bytes: number; readonly seconds: number };
  /** Seconds from the connection to the log-in. */
  readonly handshake: number;
  /** Connections before log-in, of all sources together. */
  readonly unauthenticated: number;
  /** Refused attempts on one connection. */
  readonly authAttempts: number;
}

/** Somebody who has logged in over SSH. */
export interface SshClient {
  readonly who: Authenticated;
  /** The user name that was given: it says where to. */
  readonly user: string;
  readonly software: string;
  readonly port: Ssh2Transport;
  /** How it came here through another connection (ProxyJump), and where that led. */
  readonly through?: Through;
  /** Takes a channel of this connection for a connection of its own. Missing where that would be a jump within a jump. */
  readonly nest?: (channel: Duplex, to: JumpDestination) => void;
}

export interface Through {
  /** Who opened the connection in between, and from where. */
  readonly via: { readonly principal: string; readonly source: string };
  readonly to: JumpDestination;
}

/** Where a connection comes from. One in a channel of another has the source of that. */
interface Origin {
  readonly address: string;
  /** `address:port` */
  readonly source: string;
  readonly through?: Through;
}

// ssh2 would send keep-alives of its own, whose replies we could not tell from those to ours.
(ssh2.Server as unknown as { KEEPALIVE_CLIENT_INTERVAL: number }).KEEPALIVE_CLIENT_INTERVAL = 0;

/** Listens for SSH clients; `serve` takes over each that has logged in. */
export function listenSsh(
  options: SshListenerOptions,
  parts: SessionParts<SshReachable>,
  serve: (client: SshClient) => Promise<void>,
): Promise<Listener> {
  const admission = new Admission(options.unauthenticated, options.handshake);
  const server = new ssh2.Server({
    hostKeys: [options.hostKey.privateKey],
    algorithms: listenerOffer(options.weakAlgorithms),
    ident: options.ident,
    ...(options.banner === undefined ? {} : { banner: options.banner }),
  });
  const origins = new WeakMap<Duplex, Origin>();
  const enter = (socket: Duplex, origin: Origin) => {
    // Errors of a socket are told by its end; without a listener they would end the process.
    socket.on('error', () => undefined);
    if (!parts.limiter.allows(origin.address, performance.now())) {
      socket.destroy();
      return;
    }
    admission.enter(socket);
    origins.set(socket, origin);
    server.injectSocket(socket as Socket);
  };
  server.on('connection', (connection, info) => {
    const socket = (connection as unknown as { _sock: Duplex })._sock;
    const origin = origins.get(socket) ?? { address: '', source: 'unknown' };
    admission.spoke(socket);
    new Login(connection, socket, origin, info.header.versions.software, options, parts, (loggedIn) => {
      admission.leave(socket);
      const client = origin.through === undefined ? { ...loggedIn, nest: nestIn(loggedIn.who, origin, enter) } : loggedIn;
      serve(client).catch((error: unknown) => {
        const { code, message } = asSallyportError(error);
        parts.log.error({ code }, `an SSH session ended abnormally: ${message}`);
        client.port.end();
      });
    });
  });
  const tcp = createServer({ noDelay: true }, (socket) => enter(socket, originOf(socket)));
  return new Promise((resolve, reject) => {
    tcp.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new SallyportError('CONFIG_INVALID', `can't listen for SSH on ${options.host}:${options.port}: ${error.code ?? error.message}`, {
          cause: error,
          remedy: 'change gateway.listen.ssh, or stop what has the port',
        }),
      );
    });
    tcp.listen({ host: options.host, port: options.port, backlog: 1024 }, () => {
      const bound = tcp.address();
      const port = typeof bound === 'object' && bound !== null ? bound.port : options.port;
      const host = options.host.includes(':') ? `[${options.host}]` : options.host;
      resolve({
        protocol: 'ssh',
        address: `${host}:${port}`,
        // Not awaited: that would be the end of the last connection, and ending those is the caller's next step.
        close: () => {
          tcp.close();
          return Promise.resolve();
        },
      });
      tcp.on('error', (error) => parts.log.error({ error: error.message }, 'the SSH listener failed to accept'));
    });
  });
}

function originOf({ remoteAddress = '', remoteFamily, remotePort }: Socket): Origin {
  return { address: remoteAddress, source: `${remoteFamily === 'IPv6' ? `[${remoteAddress}]` : remoteAddress}:${remotePort}` };
}

function nestIn(
  who: Authenticated,
  { address, source }: Origin,
  enter: (channel: Duplex, origin: Origin) => void,
): NonNullable<SshClient['nest']> {
  const via = { principal: who.actor.principal, source };
  return (channel, to) => enter(channel, { address, source, through: { via, to } });
}

/** What the record of the connection tells: the last attempt that was refused, and the last certificate rather than any key. */
interface Refused {
  readonly user: string;
  readonly method: string;
  readonly key?: string;
  readonly reason: string;
}

/** One connection until it has logged in. Only public keys; nothing else is advertised. */
class Login {
  readonly #origin: Origin;
  readonly #options: SshListenerOptions;
  readonly #parts: SessionParts<SshReachable>;
  readonly #port: Ssh2Transport;
  readonly #software: string;
  readonly #done: (client: SshClient) => void;
  #refused: Refused | undefined;
  #attempts = 0;
  #loggedIn = false;

  constructor(
    connection: Connection,
    socket: Duplex,
    origin: Origin,
    software: string,
    options: SshListenerOptions,
    parts: SessionParts<SshReachable>,
    done: (client: SshClient) => void,
  ) {
    this.#origin = origin;
    this.#options = options;
    this.#parts = parts;
    this.#done = done;
    this.#software = software.slice(0, 255);
    this.#port = new Ssh2Transport(connection, socket, options);
    connection.on('authentication', (context) => this.#attempt(context));
    connection.once('close', () => this.#closed());
  }

  #attempt(context: AuthContext): void {
    const user = context.username.slice(0, 255);
    if (context.method === 'none') {
      // How a client asks which methods there are (RFC 4252 section 5.2).
      context.reject(['publickey']);
      return;
    }
    if (context.method !== 'publickey') {
      this.#refuse(context, { user, method: context.method, reason: `the method ${context.method} is not offered` });
      return;
    }
    const judged = judgeOfferedKey(context, { user, source: this.#origin.source }, this.#options.weakAlgorithms, this.#parts);
    if (judged.would === true) context.accept();
    else if (judged.who === undefined) this.#refuse(context, { user, method: judged.method, key: judged.key, reason: judged.refused });
    else this.#accept(context, judged.who, user);
  }

  #accept(context: AuthContext, who: Authenticated, user: string): void {
    this.#loggedIn = true;
    this.#parts.limiter.succeeded(this.#origin.address);
    // A certificate that was not taken is told of even when a key of the same client was.
    if (this.#refused?.method === 'certificate') this.#record(this.#refused);
    // Messages of the connection protocol may follow in the same packet as the signature.
    this.#port.activate();
    context.accept();
    const { through } = this.#origin;
    this.#done({ who, user, software: this.#software, port: this.#port, ...(through === undefined ? {} : { through }) });
  }

  #refuse(context: AuthContext, refused: Refused): void {
    // Clients offer a certificate first and then its key by itself; what was wrong with the certificate says more.
    if (this.#refused?.method !== 'certificate' || refused.method === 'certificate') this.#refused = refused;
    this.#attempts += 1;
    context.reject(['publickey']);
    if (this.#attempts >= this.#options.authAttempts) {
      this.#port.end(
        new SallyportError('AUTH_REFUSED', 'too many keys were refused', {
          remedy: 'offer the right one with ssh -i FILE -o IdentitiesOnly=yes',
        }),
      );
    }
  }

  #closed(): void {
    const last = this.#refused;
    if (this.#loggedIn || last === undefined) return;
    if (this.#parts.limiter.failed(this.#origin.address, performance.now()))
      this.#parts.log.warn({ source: this.#origin.source }, 'the source is locked out for a while: too many refused log-ins');
    this.#record(last);
  }

  #record({ user, method, key, reason }: Refused): void {
    void recordFailedLogin(
      { protocol: 'ssh', user, source: this.#origin.source, method, ...(key === undefined ? {} : { key }), reason },
      this.#options.name,
      this.#parts,
    );
  }
}
