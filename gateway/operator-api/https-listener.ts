import { X509Certificate } from 'node:crypto';
import type { Server } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { SallyportError } from '../base/errors.ts';
import { ConnectionPlaces } from './connection-places.ts';
import { ConnectionRate, type Rate } from './connection-rate.ts';
import { type OperatorApiParts, operatorApp } from './operator-app.ts';
import { OperatorSockets } from './operator-sockets.ts';
import { fingerprintOf, namesOf, type ServerCertificate } from './own-certificate.ts';

/** Connections at one time. A monitor needs one. */
const PLACES = 256;
/** New connections. A handshake takes the main thread some 0.4 ms: all of them together get a tenth of it at most. */
const PER_SOURCE: Rate = { perSecond: 50, burst: 200 };
const TOGETHER: Rate = { perSecond: 250, burst: 500 };

export interface HttpsListener {
  readonly protocol: 'https';
  /** `host:port` as bound. */
  readonly address: string;
  /** SHA-256 of the certificate that is shown, as browsers write it. */
  readonly fingerprint: string;
  /** Shows this certificate to everybody who connects from now on. */
  show(certificate: ServerCertificate): void;
  /** Log-ins were ended: the WebSockets of those go now. */
  logInsChanged(): void;
  /** Ends its connections too. */
  close(): Promise<void>;
}

/** Serves the operator API over HTTPS. */
export async function listenHttps(
  listen: { readonly host: string; readonly port: number },
  certificate: ServerCertificate,
  parts: OperatorApiParts,
): Promise<HttpsListener> {
  const places = new ConnectionPlaces(PLACES);
  const rate = new ConnectionRate(PER_SOURCE, TOGETHER);
  const sockets = new OperatorSockets(parts.logIns, (socket) => places.leave(socket));
  const stopping = new AbortController();
  let names = ownNames(listen.host, certificate);
  const listener = { isOwnName: (host: string) => names(host), sockets, stopping: stopping.signal };
  const app = operatorApp(certificate, parts, listener, (request, response, next) => {
    const { socket } = request;
    if (!places.asks(socket)) return;
    response.once('close', () => places.answered(socket));
    next(request, response);
  });
  const server = app.server as unknown as Server;
  server.on('connection', (socket: Socket) => {
    // Errors of a socket are told by its end; without a listener they would end the process.
    socket.on('error', () => undefined);
    if (rate.allows(socket.remoteAddress ?? '', performance.now())) places.enter(socket);
    else socket.destroy();
  });
  await app.ready();
  await bind(server, listen);
  server.on('error', (error) => parts.log.error({ error: error.message }, 'the HTTPS listener failed to accept'));
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : listen.port;
  let shown = fingerprintOf(certificate);
  return {
    protocol: 'https',
    address: `${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${port}`,
    get fingerprint() {
      return shown;
    },
    show: (next) => {
      server.setSecureContext({ cert: next.chain, key: next.key, minVersion: 'TLSv1.2' });
      shown = fingerprintOf(next);
      names = ownNames(listen.host, next);
    },
    logInsChanged: () => sockets.lookAtLogIns(),
    close: async () => {
      stopping.abort();
      server.close();
      sockets.close();
      server.closeAllConnections();
      // An upgrade that nobody has been let in by yet is no connection of the server's any more.
      places.close();
      await app.close();
    },
  };
}

/** What clients may call the gateway by: what its certificate says, and what it listens on. */
function ownNames(host: string, { chain }: ServerCertificate): (name: string) => boolean {
  const certificate = new X509Certificate(chain);
  const names = new Set(namesOf(host).map((name) => name.toLowerCase()));
  return (name) => names.has(name) || (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined;
}

/** Fastify's own `listen` opens a second server for a name with two addresses, which nothing here would know of. */
function bind(server: Server, listen: { readonly host: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      reject(
        new SallyportError('CONFIG_INVALID', `can't listen for HTTPS on ${listen.host}:${listen.port}: ${error.code ?? error.message}`, {
          cause: error,
          remedy: 'change gateway.listen.https, or stop what has the port',
        }),
      );
    };
    server.once('error', failed);
    server.listen({ host: listen.host, port: listen.port, backlog: 512 }, () => {
      server.off('error', failed);
      resolve();
    });
  });
}
