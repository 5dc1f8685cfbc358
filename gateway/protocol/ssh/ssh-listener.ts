import { createServer, type Socket } from 'node:net';
import ssh2, { type AuthContext, type Connection } from 'ssh2';
import { asSallyportError, SallyportError } from '../../base/errors.ts';
import { recordFailedLogin } from '../../session/authenticate.ts';
import type { Authenticated } from '../../session/session.ts';
import type { SessionParts } from '../../session/session-parts.ts';
import type { Listener } from '../listener.ts';
import { Admission } from './admission.ts';
import { listenerOffer } from './algorithms.ts';
import type { HostKey } from './host-key.ts';
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
  server.on('connection', (connection, info) => {
    const socket = (connection as unknown as { _sock: Socket })._sock;
    admission.spoke(socket);
    new Login(connection, socket, info.header.versions.software, options, parts, (client) => {
      admission.leave(socket);
      serve(client).catch((error: unknown) => {
        const { code, message } = asSallyportError(error);
        parts.log.error({ code }, `an SSH session ended abnormally: ${message}`);
        client.port.end();
      });
    });
  });
  const tcp = createServer({ noDelay: true }, (socket) => {
    // Errors of a socket are told by its end; without a listener they would end the process.
    socket.on('error', () => undefined);
    if (!parts.limiter.allows(socket.remoteAddress ?? '', performance.now())) {
      socket.destroy();
      return;
    }
    admission.enter(socket);
    server.injectSocket(socket);
  });
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

/** What the record of the connection tells: the last attempt that was refused, and the last certificate rather than any key. */
interface Refused {
  readonly user: string;
  readonly method: string;
  readonly key?: string;
  readonly reason: string;
}

/** One connection until it has logged in. Only public keys; nothing else is advertised. */
class Login {
  readonly #socket: Socket;
  readonly #options: SshListenerOptions;
  readonly #parts: SessionParts<SshReachable>;
  readonly #port: Ssh2Transport;
  readonly #software: string;
  readonly #source: string;
  readonly #done: (client: SshClient) => void;
  #refused: Refused | undefined;
  #attempts = 0;
  #loggedIn = false;

  constructor(
    connection: Connection,
    socket: Socket,
    software: string,
    options: SshListenerOptions,
    parts: SessionParts<SshReachable>,
    done: (client: SshClient) => void,
  ) {
    this.#socket = socket;
    this.#options = options;
    this.#parts = parts;
    this.#done = done;
    this.#software = software.slice(0, 255);
    this.#source = `${socket.remoteFamily === 'IPv6' ? `[${socket.remoteAddress}]` : socket.remoteAddress}:${socket.remotePort}`;
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
    const judged = judgeOfferedKey(context, { user, source: this.#source }, this.#options.weakAlgorithms, this.#parts);
    if (judged.would === true) context.accept();
    else if (judged.who === undefined) this.#refuse(context, { user, method: judged.method, key: judged.key, reason: judged.refused });
    else this.#accept(context, judged.who, user);
  }

  #accept(context: AuthContext, who: Authenticated, user: string): void {
    this.#loggedIn = true;
    this.#parts.limiter.succeeded(this.#socket.remoteAddress ?? '');
    // A certificate that was not taken is told of even when a key of the same client was.
    if (this.#refused?.method === 'certificate') this.#record(this.#refused);
    // Messages of the connection protocol may follow in the same packet as the signature.
    this.#port.activate();
    context.accept();
    this.#done({ who, user, software: this.#software, port: this.#port });
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
    const address = this.#socket.remoteAddress ?? this.#source;
    if (this.#parts.limiter.failed(address, performance.now()))
      this.#parts.log.warn({ source: this.#source }, 'the source is locked out for a while: too many refused log-ins');
    this.#record(last);
  }

  #record({ user, method, key, reason }: Refused): void {
    void recordFailedLogin(
      { protocol: 'ssh', user, source: this.#source, method, ...(key === undefined ? {} : { key }), reason },
      this.#options.name,
      this.#parts,
    );
  }
}
