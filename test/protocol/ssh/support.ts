import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import ssh2 from 'ssh2';
import type { ActionRequest, Decision } from '../../../contract/policy.ts';
import type { ApprovalRule } from '../../../gateway/approval/approval-rule.ts';
import type { Reviewer } from '../../../gateway/approval/may-decide.ts';
import { systemClock } from '../../../gateway/base/clock.ts';
import { SallyportError } from '../../../gateway/base/errors.ts';
import { Secret } from '../../../gateway/base/secret.ts';
import { AttemptLimiter, type AttemptLimits } from '../../../gateway/identity/attempt-limiter.ts';
import { parseSshPublicKey } from '../../../gateway/identity/ssh-public-key.ts';
import { allowListPolicy } from '../../../gateway/policy/allow-list-policy.ts';
import type { Policy } from '../../../gateway/policy/policy.ts';
import type { Listener } from '../../../gateway/protocol/listener.ts';
import { makeEd25519Key } from '../../../gateway/protocol/ssh/ed25519-key.ts';
import { type HostKey, loadOrMakeHostKey } from '../../../gateway/protocol/ssh/host-key.ts';
import { listenSsh, type SshListenerOptions } from '../../../gateway/protocol/ssh/ssh-listener.ts';
import { serveSshClient } from '../../../gateway/protocol/ssh/ssh-session.ts';
import type { SshReachable } from '../../../gateway/protocol/ssh/ssh-target.ts';
import { Ssh2Transport, type TransportLimits } from '../../../gateway/protocol/ssh/ssh2-transport.ts';
import { fingerprintOf } from '../../../gateway/protocol/ssh/target-connection.ts';
import type { RecordingOptions } from '../../../gateway/recording/recorder.ts';
import { LiveSessions } from '../../../gateway/session/live-sessions.ts';
import { Locks } from '../../../gateway/session/locks.ts';
import type { SessionParts } from '../../../gateway/session/session-parts.ts';
import { KeptLog, MemoryLedger, openRecorder } from '../../recording/support.ts';
import { approvalsIn } from '../../support/approvals.ts';
import type { Belongings } from '../../support/temp.ts';

export const calm: TransportLimits = { rekey: { bytes: 0, seconds: 0 }, handshake: 60 };

/** One end of a connection as raw messages of the connection protocol, kept as they come. */
export class RawPeer {
  readonly port: Ssh2Transport;
  readonly socket: Socket;
  readonly messages: Buffer[] = [];
  readonly ended: Promise<string>;
  closed = false;
  #arrived: (() => void)[] = [];

  /** Begins a key exchange. */
  readonly rekey: () => void;

  constructor(port: Ssh2Transport, socket: Socket, connection: ssh2.Connection | ssh2.Client) {
    this.port = port;
    this.rekey = () => (connection as unknown as { _protocol: { rekey(): void } })._protocol.rekey();
    this.socket = socket;
    this.ended = new Promise((resolve) => {
      port.attach({
        message: (message) => {
          this.messages.push(Buffer.from(message));
          this.#announce();
        },
        drained: () => undefined,
        closed: (error) => {
          this.closed = true;
          resolve(error?.message ?? '');
          this.#announce();
        },
      });
    });
  }

  send(...messages: readonly Uint8Array[]): void {
    for (const message of messages) this.port.send(message);
  }

  of(type: number): Buffer[] {
    return this.messages.filter((message) => message[0] === type);
  }

  /** The n-th message of a type, now or later. */
  async next(type: number, index = 0): Promise<Buffer> {
    return this.until(`message ${index} of type ${type}`, () => this.of(type)[index]);
  }

  async until<T>(what: string, look: () => T | undefined): Promise<T> {
    // Before the test is over, whose limit would not say what was waited for.
    let late = false;
    const limit = setTimeout(() => {
      late = true;
      this.#announce();
    }, 100_000);
    try {
      for (;;) {
        const seen = look();
        if (seen !== undefined) return seen;
        const before = this.closed
          ? `the connection ended (${await this.ended}) before`
          : late
            ? 'waited 100 seconds in vain for'
            : undefined;
        if (before !== undefined) throw new Error(`${before}: ${what}; seen ${this.messages.map((message) => message[0]).join(' ')}`);
        await new Promise<void>((resolve) => this.#arrived.push(resolve));
      }
    } finally {
      clearTimeout(limit);
    }
  }

  #announce(): void {
    const waiting = this.#arrived;
    this.#arrived = [];
    for (const resolve of waiting) resolve();
  }
}

export function keyPair(): { private: string; public: string } {
  const { privateKey, publicKey } = makeEd25519Key('test');
  return { private: privateKey, public: publicKey };
}

/** Logs in somewhere and then speaks raw messages. */
export async function rawClient(
  to: { host: string; port: number },
  login: { username: string; privateKey?: string; password?: string },
  limits = calm,
): Promise<RawPeer> {
  const socket = connect({ ...to, noDelay: true });
  await once(socket, 'connect');
  const client = new ssh2.Client();
  client.connect({ sock: socket, readyTimeout: 0, ...login });
  const port = new Ssh2Transport(client, socket, limits);
  await new Promise<void>((resolve, reject) => {
    client.once('ready', () => {
      port.activate();
      resolve();
    });
    client.once('error', reject);
  });
  client.on('error', () => undefined);
  return new RawPeer(port, socket, client);
}

export interface RawServer {
  readonly port: number;
  readonly hostKey: string;
  /** The next connection that logs in. */
  accepted(): Promise<RawPeer>;
}

/** A server that lets in whoever knows the password and then speaks raw messages. */
export async function rawServer(belongings: Belongings, options: { limits?: TransportLimits; password?: string } = {}): Promise<RawServer> {
  const key = keyPair();
  const waiting: RawPeer[] = [];
  const wanted: ((peer: RawPeer) => void)[] = [];
  const server = new ssh2.Server({ hostKeys: [key.private] }, (connection) => {
    const socket = (connection as unknown as { _sock: Socket })._sock;
    socket.setNoDelay(true);
    const port = new Ssh2Transport(connection, socket, options.limits ?? calm);
    connection.on('authentication', (context) => {
      if (context.method !== 'password' || context.password !== (options.password ?? 'open')) return context.reject(['password']);
      port.activate();
      context.accept();
      const peer = new RawPeer(port, socket, connection);
      const next = wanted.shift();
      if (next === undefined) waiting.push(peer);
      else next(peer);
    });
    belongings.add(() => void socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  belongings.add(() => void server.close());
  const parsed = ssh2.utils.parseKey(key.private);
  if (parsed instanceof Error) throw parsed;
  return {
    port: (server.address() as AddressInfo).port,
    hostKey: fingerprintOf(parsed.getPublicSSH()),
    accepted: () => {
      const peer = waiting.shift();
      return peer === undefined ? new Promise((resolve) => wanted.push(resolve)) : Promise.resolve(peer);
    },
  };
}

export interface TestGateway {
  readonly host: string;
  readonly port: number;
  readonly hostKey: HostKey;
  readonly parts: SessionParts<SshReachable>;
  readonly locks: Locks;
  readonly ledger: MemoryLedger;
  readonly log: KeptLog;
  readonly data: string;
  /** The agent's private key. */
  readonly key: string;
  readonly listener: Listener;
}

export interface TestGatewayOptions {
  targets: SshReachable[];
  forwarding?: ('local' | 'remote' | 'agent')[];
  listener?: Partial<SshListenerOptions>;
  limits?: Partial<{
    channelsPerSession: number;
    idle: number;
    keepAlive: number;
    handshake: number;
    connect: number;
    sessions: number;
    sessionsPerPrincipal: number;
  }>;
  recording?: Partial<RecordingOptions>;
  ledger?: MemoryLedger;
  publicKeys?: string[];
  /** What policy says instead of what the allow lists do, for an action that is asked about. */
  decide?: (request: ActionRequest) => Partial<Decision> | undefined;
  rules?: readonly ApprovalRule[];
  reviewers?: readonly Reviewer[];
  lockout?: Partial<AttemptLimits>;
  /** A stand-in for the recorder's way of opening channels. */
  failRecording?: () => Error | undefined;
}

/** The gateway's SSH side in this process, with real recordings and a ledger in memory. */
export async function testGateway(belongings: Belongings, options: TestGatewayOptions): Promise<TestGateway> {
  const data = belongings.directory('ssh');
  const ledger = options.ledger ?? new MemoryLedger();
  const log = new KeptLog();
  const recorder = await openRecorder(data, { ledger, log }, options.recording ?? {});
  belongings.add(() => recorder.close());
  if (options.failRecording !== undefined) {
    const { failRecording } = options;
    const open = recorder.openChannel.bind(recorder);
    recorder.openChannel = (description) => {
      const failure = failRecording();
      if (failure !== undefined) throw failure;
      return open(description);
    };
  }
  const key = keyPair();
  const limits = {
    channelsPerSession: 16,
    idle: 0,
    keepAlive: 0,
    handshake: 30,
    connect: 30,
    sessions: 100,
    sessionsPerPrincipal: 100,
    ...options.limits,
  };
  const live = new LiveSessions(() => limits);
  const agent = {
    name: 'deploy-bot',
    kind: 'agent' as const,
    onBehalfOf: 'engineer@example.com',
    groups: [],
    sshKeys: [key.public, ...(options.publicKeys ?? [])].map(publicKey),
    operator: [],
    disabled: false,
  };
  const human = { name: 'engineer@example.com', kind: 'human' as const, groups: [], sshKeys: [], operator: [], disabled: false };
  const principals = new Map([agent, human].map((principal) => [principal.name, principal]));
  const lists = allowListPolicy(
    options.targets.map((target) => ({
      name: target.name,
      kind: target.kind,
      tags: target.tags,
      allow: ['deploy-bot'],
      forwarding: options.forwarding ?? [],
    })),
  );
  const { decide } = options;
  const policy: Policy =
    decide === undefined ? lists : { ...lists, source: 'cedar', decide: (request) => ({ ...lists.decide(request), ...decide(request) }) };
  const inForce = { principals, targets: new Map(options.targets.map((target) => [target.name, target])), policy };
  const locks = new Locks({ records: ledger.records, live, clock: systemClock, log, gatewayName: 'test' });
  const parts: SessionParts<SshReachable> = {
    clock: systemClock,
    log,
    records: ledger.records,
    ledger,
    recorder,
    live,
    locks,
    limiter: new AttemptLimiter({ failures: 0, withinSeconds: 60, forSeconds: 60, ...options.lockout }),
    approvals: approvalsIn({
      append: (draft) => ledger.records.append(draft),
      rules: options.rules ?? [],
      reviewers: () => options.reviewers ?? [],
    }),
    inForce: () => inForce,
  };
  recorder.onFailure((session, _channel, error) => live.find(session)?.end(error));
  const hostKey = await loadOrMakeHostKey(data);
  const listener = await listenSsh(
    {
      host: '127.0.0.1',
      port: 0,
      hostKey,
      name: 'test',
      ident: 'Sallyport_test',
      weakAlgorithms: [],
      rekey: { bytes: 0, seconds: 0 },
      handshake: limits.handshake,
      unauthenticated: 50,
      authAttempts: 3,
      ...options.listener,
    },
    parts,
    (client) =>
      serveSshClient(client, {
        parts,
        limits: () => limits,
        connect: () => ({
          connect: limits.connect,
          handshake: limits.handshake,
          rekey: options.listener?.rekey ?? { bytes: 0, seconds: 0 },
          weakAlgorithms: [],
          ident: 'Sallyport_test',
        }),
        credential: () => ({ password: new Secret('open') }),
      }),
  );
  belongings.add(async () => {
    await listener.close();
    live.endAll(new SallyportError('GATEWAY_DRAINING', 'the test is over'));
    await live.drain();
  });
  return {
    host: '127.0.0.1',
    port: Number(listener.address.split(':').at(-1)),
    hostKey,
    parts,
    locks,
    ledger,
    log,
    data,
    key: key.private,
    listener,
  };
}

function publicKey(line: string) {
  const parsed = parseSshPublicKey(line);
  if ('fault' in parsed) throw new Error(parsed.fault);
  return parsed.key;
}

export function sshTarget(server: { port: number; hostKey: string }, name = 'web'): SshReachable {
  return {
    name,
    kind: 'ssh',
    tags: {},
    address: { host: '127.0.0.1', port: server.port },
    hostKey: server.hostKey,
    login: 'root',
    environment: ['LANG', 'LC_*'],
    recording: {},
  };
}

export function shellTarget(name = 'sh'): SshReachable {
  return { name, kind: 'shell', tags: {}, shell: '/bin/sh', directory: '/', environment: ['LC_*'], recording: {} };
}
