import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Duplex } from 'node:stream';
import websocket from '@fastify/websocket';
import { type FastifyInstance, fastify } from 'fastify';
import { roles } from '../../contract/operator-api.ts';
import { asSallyportError, SallyportError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { LedgerReader } from '../ledger/ledger-storage.ts';
import { authoriseRoles } from './authorise.ts';
import { type BrowserLogInParts, serveBrowserLogIn } from './browser-log-in.ts';
import type { ConsoleFiles } from './console/console-files.ts';
import { serveConsole } from './console/console-routes.ts';
import { type EventFeed, serveEvents } from './events.ts';
import type { EvidenceDesk } from './evidence/evidence-desk.ts';
import { serveEvidence } from './evidence/evidence-routes.ts';
import { serveHealth } from './health-routes.ts';
import { serveLedger } from './ledger-routes.ts';
import type { LogIns } from './log-ins.ts';
import type { ProvidedPerson } from './login-operations.ts';
import { METRICS_PATH, METRICS_TYPE } from './metrics.ts';
import { serveOpenApi } from './openapi.ts';
import { serveOperations } from './operation-routes.ts';
import type { Performers } from './operations.ts';
import type { OperatorSockets } from './operator-sockets.ts';
import type { ServerCertificate } from './own-certificate.ts';
import { servePageStyle } from './page-style.ts';
import { PROBLEM_TYPE, problem, problemOf } from './problem.ts';
import { notFound, sendProblem } from './read-only-route.ts';
import type { RecordingParts } from './recordings/recording-parts.ts';
import { serveRecordings } from './recordings/recording-routes.ts';
import type { RefusedLogIns } from './refused-log-ins.ts';
import type { SocketScope } from './socket-route.ts';
import { Door } from './who-asks.ts';

/** What the operator API answers from. */
export interface OperatorApiParts {
  readonly log: Log;
  readonly ledger: LedgerReader;
  /** Why the gateway takes no sessions at the moment; undefined when it does. */
  readonly unready: () => SallyportError | undefined;
  readonly performers: Performers;
  readonly logIns: LogIns;
  readonly refused: RefusedLogIns;
  readonly events: EventFeed;
  readonly metrics: () => string;
  readonly version: string;
  readonly browserLogIn?: BrowserLogInParts<ProvidedPerson>;
  readonly recordings?: RecordingParts;
  /** What is shown at `/`; undefined where it was never built. */
  readonly consoleFiles?: ConsoleFiles | undefined;
  readonly desk?: EvidenceDesk;
  /** More WebSockets than the operator API's own. */
  readonly addSockets?: (scope: SocketScope) => void;
}

/** What the listener knows, and the routes need. */
export interface ListenerParts {
  readonly isOwnName: (host: string) => boolean;
  readonly sockets: OperatorSockets;
  readonly stopping: AbortSignal;
}

/** Hands a request on, or does not. */
export type Admission = (request: IncomingMessage, response: ServerResponse, next: RequestListener) => void;

const KiB = 1024;
const SECOND = 1000;

/** A request that takes longer to arrive than this ends its connection. */
const REQUEST_MILLIS = 15 * SECOND;
/** Neither side may keep the other waiting for longer, be it in the middle of an answer that nobody reads. */
const SILENCE_MILLIS = 30 * SECOND;

/** The routes, and what is true of every answer. `admit` sees each request before anything is made for it. */
export function operatorApp(
  certificate: ServerCertificate,
  parts: OperatorApiParts,
  { isOwnName, sockets, stopping }: ListenerParts,
  admit: Admission,
): FastifyInstance {
  // Elsewhere a client that wants to upgrade is answered as any other: an upgraded connection is out of the server's hands.
  const upgrades = ({ method, url = '' }: IncomingMessage): boolean => method === 'GET' && sockets.areAt(url);
  const app: FastifyInstance = fastify({
    serverFactory: (handler) => {
      const server = createServer(
        {
          cert: certificate.chain,
          key: certificate.key,
          minVersion: 'TLSv1.2',
          handshakeTimeout: 10 * SECOND,
          maxHeaderSize: 16 * KiB,
          headersTimeout: 10 * SECOND,
          requestTimeout: REQUEST_MILLIS,
          keepAliveTimeout: SILENCE_MILLIS,
          connectionsCheckingInterval: 2 * SECOND,
          shouldUpgradeCallback: upgrades,
        },
        (request, response) => admit(request, response, handler),
      );
      server.setTimeout(SILENCE_MILLIS);
      server.on('clientError', refuseMalformed);
      // Node asks `shouldUpgradeCallback` from 24.9 on; before, such a connection has to end.
      server.on('upgrade', (request, socket) => {
        if (!upgrades(request)) socket.destroy();
      });
      return server;
    },
    bodyLimit: 64 * KiB,
    routerOptions: { maxParamLength: 256 },
    // The machinery's own refusals, such as a path with a broken escape, look like any other.
    frameworkErrors: (error, _request, reply) => void sendProblem(reply, problemOf(error)),
  });
  // No guessing of types, no embedding, nothing kept unless a route says so.
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
    done();
  });
  app.setErrorHandler((thrown, request, reply) => {
    const answer = problemOf(thrown);
    if (answer.status >= 500 && answer.status !== 503) {
      const { code, message } = asSallyportError(thrown);
      parts.log.error({ code, method: request.method, route: request.routeOptions.url }, `a request could not be answered: ${message}`);
    }
    return sendProblem(reply, answer);
  });
  app.setNotFoundHandler((request, reply) => sendProblem(reply, problemOf(notFound(request))));
  // A page can have a form send text without asking; what changes something comes as JSON.
  app.removeContentTypeParser('text/plain');
  serveHealth(app, parts);
  serveLedger(app, parts);
  const door = new Door({ logIns: parts.logIns, refused: parts.refused, isOwnName });
  serveMetrics(app, door, parts.metrics);
  serveOpenApi(app, parts.version);
  servePageStyle(app);
  if (parts.browserLogIn !== undefined) serveBrowserLogIn(app, parts.browserLogIn);
  serveOperations(app, { performers: parts.performers, door, stopping, log: parts.log });
  if (parts.recordings !== undefined) serveRecordings(app, { ...parts.recordings, door, stopping });
  serveConsole(app, { door, files: parts.consoleFiles });
  if (parts.desk !== undefined) serveEvidence(app, { desk: parts.desk, door, stopping });
  app.register(async (scope) => {
    await scope.register(websocket, {
      options: { maxPayload: MAX_MESSAGE, perMessageDeflate: false },
      errorHandler: (error, socket) => {
        socket.terminate();
        // What a peer did wrong, or that it is gone, says nothing of us.
        if (!('code' in error)) parts.log.error({ err: error }, `a WebSocket ended, because it could not be served: ${error.message}`);
      },
      preClose: (done) => done(), // `OperatorSockets` closes them.
    });
    serveEvents({ app: scope, door, sockets }, parts.events);
    parts.addSockets?.({ app: scope, door, sockets });
  });
  return app;
}

/** Bytes of one message of a WebSocket's client. None has much to say. */
const MAX_MESSAGE = 16 * KiB;

/** Of load, for whoever watches over the gateway; a stranger would learn when it is weak. */
function serveMetrics(app: FastifyInstance, door: Door, metrics: () => string): void {
  app.get(METRICS_PATH, async (request, reply) => {
    const { operator } = await door.whoAsks(request, reply);
    authoriseRoles(METRICS_PATH, roles, operator);
    return reply.type(METRICS_TYPE).send(metrics());
  });
}

const malformed = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
} as const;

/** What a client has for reading why it was refused, before its connection ends. */
const LINGER_MILLIS = SECOND;

/** What is not HTTP, or too much of it: there is no request to answer, only a connection to end. */
function refuseMalformed(error: Error & { code?: string }, socket: Duplex): void {
  const timeout = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  // Anything else is a failed handshake or a lost connection, on which nothing can be said.
  if (!socket.writable || !(timeout || error.code?.startsWith('HPE_') === true)) {
    socket.destroy();
    return;
  }
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : timeout ? 408 : 400;
  const title = malformed[status];
  const body = JSON.stringify(problem(status, new SallyportError('REQUEST_INVALID', `the request was refused: ${title}`)));
  const head = [`HTTP/1.1 ${status} ${title}`, `Content-Type: ${PROBLEM_TYPE}`, `Content-Length: ${body.length}`, 'Connection: close'];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  const linger = setTimeout(() => socket.destroy(), LINGER_MILLIS);
  socket.once('close', () => clearTimeout(linger));
}
