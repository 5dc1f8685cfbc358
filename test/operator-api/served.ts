import { Agent, request } from 'node:https';
import type { Socket } from 'node:net';
import { connect } from 'node:tls';
import { systemClock } from '../../gateway/base/clock.ts';
import type { SallyportError } from '../../gateway/base/errors.ts';
import type { Log } from '../../gateway/base/log.ts';
import { type Evidence, openEvidence } from '../../gateway/evidence.ts';
import { AttemptLimiter } from '../../gateway/identity/attempt-limiter.ts';
import type { ConsoleFiles } from '../../gateway/operator-api/console/console-files.ts';
import { EventFeed } from '../../gateway/operator-api/events.ts';
import { type HttpsListener, listenHttps } from '../../gateway/operator-api/https-listener.ts';
import { LogIns } from '../../gateway/operator-api/log-ins.ts';
import type { Performers } from '../../gateway/operator-api/operations.ts';
import type { Operators } from '../../gateway/operator-api/operators.ts';
import { loadOrMakeCertificate, namesOf, type ServerCertificate } from '../../gateway/operator-api/own-certificate.ts';
import { RefusedLogIns } from '../../gateway/operator-api/refused-log-ins.ts';
import { type SocketScope, socketRoute } from '../../gateway/operator-api/socket-route.ts';
import { openLedgerFiles } from '../../gateway/store/ledger-files.ts';
import type { Belongings } from '../support/temp.ts';

/** What was logged, for a test to look at. */
export class Logged implements Log {
  readonly lines: string[] = [];
  readonly #take = (facts: object, message: string): void => {
    this.lines.push(`${JSON.stringify(facts)} ${message}`);
  };
  debug = this.#take;
  info = this.#take;
  warn = this.#take;
  error = this.#take;
}

/** The HTTPS listener over a data directory with a ledger in it, in this process. */
export interface Served {
  readonly directory: string;
  readonly evidence: Evidence;
  readonly listener: HttpsListener;
  readonly certificate: ServerCertificate;
  readonly port: number;
  readonly log: Logged;
  readonly logIns: LogIns;
  /** Looks after the WebSockets, as the listener does by itself every few seconds. */
  readonly look: () => void;
  /** Makes `/readyz` say why not. */
  unready: SallyportError | undefined;
}

const nobody: Operators = { find: () => undefined, all: () => [], isLocked: () => false };

export async function serve(belongings: Belongings, records: number, operators = nobody, consoleFiles?: ConsoleFiles): Promise<Served> {
  const directory = belongings.directory('https');
  const log = new Logged();
  const settings = { gateway: { listen: {}, data: directory, name: 'bastion-1' }, ledger: {} };
  const evidence = await openEvidence(settings, directory, { clock: systemClock, log });
  belongings.add(() => evidence.close());
  await append(evidence, records - 1); // The first is `ledger.created`.
  const certificate = await loadOrMakeCertificate(directory, namesOf('127.0.0.1'), new Date());
  const served: { unready: SallyportError | undefined } = { unready: undefined };
  const limiter = new AttemptLimiter({ failures: 20, withinSeconds: 60, forSeconds: 60 });
  const limiters = { logIns: limiter, tokens: limiter };
  const refused = new RefusedLogIns({ limiters, records: evidence.records, clock: systemClock, log, gatewayName: 'bastion-1' });
  const logIns = new LogIns(operators, systemClock);
  let scope: SocketScope | undefined;
  const parts = {
    log,
    ledger: openLedgerFiles(directory),
    unready: () => served.unready,
    performers: {} as Performers, // Nobody who could ask for anything is let in.
    logIns,
    refused,
    events: new EventFeed(evidence.records, log),
    metrics: () => '',
    consoleFiles,
    version: '9.9.9',
    addSockets: (added: SocketScope) => {
      scope = added;
      socketRoute(added, '/api/for-admins', ['admin'], () => undefined);
    },
  };
  const listener = await listenHttps({ host: '127.0.0.1', port: 0 }, certificate, parts);
  belongings.add(() => listener.close());
  const port = Number(listener.address.split(':').at(-1));
  return Object.assign(served, { directory, evidence, listener, certificate, port, log, logIns, look: () => scope?.sockets.look() });
}

/** Appends so many records and has them signed. */
export async function append({ records, ledger }: Evidence, count: number): Promise<void> {
  const { gateway: actor } = records;
  const target = { name: 'bastion-1', kind: 'gateway' } as const;
  const drafts = Array.from({ length: count }, (_, index) =>
    records.append({ type: 'gateway.stop', outcome: 'success', actor, target, body: { reason: `for a test, ${index}` } }),
  );
  await Promise.all(drafts);
  await ledger.signed();
}

export interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

const agent = new Agent({ keepAlive: true, maxSockets: 4 });

/** One request, verified against the gateway's own certificate. */
export function get(served: Pick<Served, 'port' | 'certificate'>, path: string, method = 'GET', body?: string): Promise<Got> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port: served.port,
        path,
        method,
        ca: served.certificate.chain,
        agent,
        ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' } }),
      },
      (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces) }));
      },
    );
    asked.on('error', reject);
    asked.end(body);
  });
}

/** Sends exactly these bytes after the handshake; resolves with everything that came until the server ended the connection. */
export function raw(
  served: Pick<Served, 'port' | 'certificate'>,
  bytes: string | Uint8Array,
  then?: (socket: Socket) => void,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: served.port, ca: served.certificate.chain, servername: 'localhost' }, () => {
      socket.write(bytes);
      then?.(socket);
    });
    const pieces: Buffer[] = [];
    socket.on('data', (piece: Buffer) => pieces.push(piece));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
    });
    socket.on('close', () => resolve(Buffer.concat(pieces).toString('latin1')));
  });
}
