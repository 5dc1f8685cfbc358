import { systemClock } from './base/clock.ts';
import { asSallyportError, SallyportError } from './base/errors.ts';
import { createLog, type Log } from './base/log.ts';
import type { Config } from './config/types.ts';
import { loadConfig } from './config.ts';
import { openEvidence } from './evidence.ts';
import { AttemptLimiter } from './identity/attempt-limiter.ts';
import { openControlSocket } from './operator-api/control-socket.ts';
import { credentialOperations } from './operator-api/credential-operations.ts';
import type { SocketScope } from './operator-api/socket-route.ts';
import { serveLiveWatch } from './operator-api/watch/watch-route.ts';
import type { Policy } from './policy/policy.ts';
import type { Listener } from './protocol/listener.ts';
import { type HostKey, loadOrMakeHostKey } from './protocol/ssh/host-key.ts';
import { sshCrypto } from './protocol/ssh/native-crypto.ts';
import type { SshReachable } from './protocol/ssh/ssh-target.ts';
import { Recorder } from './recording/recorder.ts';
import { DailyRun } from './retention/daily-run.ts';
import { Turns } from './retention/turns.ts';
import { openApprovals } from './serve/approvals.ts';
import { type Credentials, openCredentials } from './serve/credentials.ts';
import { drain, endSessionsOnTrouble } from './serve/drain.ts';
import { type HttpsServing, listenForHttps } from './serve/https.ts';
import { identityWatch } from './serve/identity-watch.ts';
import { openIndexing } from './serve/indexing.ts';
import { openLiveWatch } from './serve/live-watch.ts';
import { openWhenFree } from './serve/open-when-free.ts';
import { operatorApiOf } from './serve/operator-api.ts';
import { policyFor, recordPolicy } from './serve/policy.ts';
import { openRegisteredKeys } from './serve/registered-keys.ts';
import { retentionOf } from './serve/retention.ts';
import { listenForSsh } from './serve/ssh.ts';
import { recordStorageChanges } from './serve/storage-watch.ts';
import { LiveSessions } from './session/live-sessions.ts';
import { Locks } from './session/locks.ts';
import type { InForce, SessionParts } from './session/session-parts.ts';
import { Supervision } from './session/supervision.ts';
import { openLedgerFiles } from './store/ledger-files.ts';
import { version } from './version.ts';

export interface GatewayOptions {
  readonly config: string;
  /** Instead of the data directory of the configuration. */
  readonly data?: string;
  readonly logLevel?: string;
}

export interface Gateway {
  readonly listeners: readonly Listener[];
  readonly hostKey: HostKey;
  readonly dataDirectory: string;
  readonly recovered: number;
  /** Reads the configuration again; throws when it has a fault, and then the running one stays in force. */
  reload(): Promise<void>;
  /** Ends in order: nothing new, sessions drained or ended, recordings sealed, `gateway.stop` recorded. */
  close(reason: string): Promise<void>;
}

/** Builds every part in the order of the flow; `close` takes them down in reverse. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const log = createLog(options.logLevel ?? 'info');
  let config = loadConfig(options.config);
  const policy = await policyFor(config);
  const dataDirectory = options.data ?? config.gateway.data;
  const clock = systemClock;

  const undo: Array<() => Promise<unknown>> = [];
  try {
    const evidence = await openWhenFree(dataDirectory, () => openEvidence(config, dataDirectory, { clock, log }));
    undo.push(() => evidence.close());
    const { database, records, ledger } = evidence;
    const recorder = await Recorder.open(recordingOptions(config, dataDirectory), { records, clock, log });
    undo.push(() => recorder.close());
    const recovery = await recorder.recover(database.recovery);
    const hostKey = await loadOrMakeHostKey(dataDirectory);

    await recordPolicy(policy, await database.records.lastPolicySet(), { records, gatewayName: config.gateway.name });
    const credentials = await openCredentials(dataDirectory, { database, clock, log });
    let inForce = await forceOf(config, policy, credentials);
    const live = new LiveSessions(() => config.limits);
    const limiter = new AttemptLimiter(config.limits.lockout);
    const locks = await Locks.load(database.locks, { records, live, clock, log, gatewayName: config.gateway.name });
    const authority = credentials.authority.fingerprint;
    const keys = await openRegisteredKeys({ database, records, gatewayName: config.gateway.name, config: () => config, authority });
    const approvals = await openApprovals({
      database,
      records,
      ledger,
      clock,
      log,
      principals: () => config.principals,
      rules: () => config.approvals,
      isLocked: (principal) => locks.isLocked(principal),
      registeredKeys: (human) => keys.keysOf(human),
      provided: (name) => operatorApi.logIns.provided(name),
    });
    undo.push(() => approvals.close());
    const parts: SessionParts<SshReachable> = {
      clock,
      log,
      records,
      ledger,
      recorder,
      live,
      locks,
      limiter,
      approvals,
      inForce: () => inForce,
    };
    endSessionsOnTrouble(recorder, live);

    const indexing = openIndexing({ dataDirectory, database, log, recorder });
    undo.push(() => indexing.close());
    const liveWatch = openLiveWatch({ recorder, database, dataDirectory, live, records, log });
    undo.push(() => liveWatch.close());

    const gatewayName = config.gateway.name;
    const surroundings = { database, records, ledger, dataDirectory, clock, log, gatewayName, config: () => config };
    const crypto = sshCrypto();
    const retention = retentionOf({ ...surroundings, made: indexing.made, releaseReserve: () => recorder.exhausted() });
    const recordIdentities = identityWatch(surroundings);
    await recordIdentities(config.principals);
    await keys.dropStrangers();
    let exchange = credentials.exchangeOf(config, admitsUnlisted(config));
    let watched: HttpsServing | undefined;
    const reloadNow = async (): Promise<void> => {
      const next = loadConfig(options.config);
      const nextForce = await forceOf(next, await policyFor(next), credentials);
      const previous = config.hash;
      warnOfWhatNeedsARestart(config, next, log);
      await records.append({
        type: 'config.changed',
        outcome: 'success',
        actor: records.gateway,
        target: { name: config.gateway.name, kind: 'gateway' },
        body: { configuration: next.hash, previous },
      });
      await recordPolicy(nextForce.policy, inForce.policy.policySet, { records, gatewayName });
      await recordIdentities(next.principals);
      config = next;
      exchange = credentials.exchangeOf(next, admitsUnlisted(next));
      inForce = nextForce;
      await keys.dropStrangers();
      operatorApi.logInsChanged();
      operatorApi.configurationInForce();
      await watched?.renew();
      log.info({ configuration: next.hash, previous }, 'the configuration was reloaded');
    };
    // One after the other: of two at the same moment, the one that read the older file must not come last.
    const reloads = new Turns();
    const reload = (): Promise<void> => reloads.alone(reloadNow);
    const operatorApi = await operatorApiOf({
      ...surroundings,
      retention,
      indexer: indexing.indexer,
      session: parts,
      recordings: { casts: liveWatch.casts, indexing },
      crypto,
      supervision: new Supervision(parts),
      watchers: (session) => liveWatch.watch.watchers(session),
      approvals,
      locks,
      keys,
      credentials: credentialOperations({
        ...surroundings,
        ...credentials,
        limiter,
        locks,
        certificates: database.certificates,
        hostKey: hostKey.publicKey,
        inForce: () => exchange,
      }),
      unready: () => whyNotReady(parts),
      reload,
    });
    undo.push(() => operatorApi.close());
    const control = await openControlSocket(dataDirectory, { ...operatorApi, log });
    undo.push(() => control.close());

    const { ssh, https } = config.gateway.listen;
    const doors: Listener[] = [];
    undo.push(() => Promise.all(doors.map((door) => door.close())));
    if (ssh !== undefined) doors.push(await listenForSsh(config, hostKey, parts, () => config));
    const overHttps = {
      ...operatorApi,
      log,
      ledger: openLedgerFiles(dataDirectory),
      unready: () => whyNotReady(parts),
      addSockets: (scope: SocketScope) => serveLiveWatch(scope, liveWatch.watch),
    };
    watched = https === undefined ? undefined : await listenForHttps(https, () => config, dataDirectory, overHttps);
    undo.push(async () => watched?.listener.close());
    const listeners = [...doors, ...(watched === undefined ? [] : [watched.listener])];
    operatorApi.listensOn(listeners, watched?.listener);

    const stopWatching = recordStorageChanges({ recorder, records, log, dataDirectory, gatewayName, reserve: config.recording.reserve });
    undo.push(async () => stopWatching());

    if (crypto === 'javascript') log.warn({ crypto }, "ssh2's native cryptography is not available: SSH runs at half its speed");
    await records.append({
      type: 'gateway.start',
      outcome: 'success',
      actor: records.gateway,
      target: { name: config.gateway.name, kind: 'gateway' },
      body: {
        version,
        runtime: `node ${process.versions.node}`,
        crypto,
        configuration: config.hash,
        listeners: listeners.map(({ protocol, address }) => `${protocol} ${address}`),
      },
    });
    log.info({ crypto, node: process.versions.node, data: dataDirectory, hostKey: hostKey.fingerprint }, 'the gateway is ready');

    const daily = new DailyRun(retention);
    void daily.begin();
    indexing.indexer.begin();

    return {
      listeners,
      hostKey,
      dataDirectory,
      recovered: recovery.sessions,
      reload,
      close: async (reason) => {
        const stopped = daily.close();
        await Promise.all(doors.map((door) => door.close()));
        await approvals.close();
        await drain(live); // `/readyz` says so meanwhile.
        await liveWatch.close();
        await Promise.all([stopped, control.close(), watched?.listener.close()]);
        await retention.idle();
        await recorder.close();
        stopWatching();
        await indexing.close();
        await operatorApi.close();
        await records.append({
          type: 'gateway.stop',
          outcome: 'success',
          actor: records.gateway,
          target: { name: config.gateway.name, kind: 'gateway' },
          body: { reason },
        });
        await records.flush();
        await evidence.close();
      },
    };
  } catch (error) {
    for (const step of undo.reverse()) {
      await step().catch((failure: unknown) => log.error({ message: asSallyportError(failure).message }, 'a part could not be closed'));
    }
    throw error;
  }
}

function recordingOptions(config: Config, directory: string) {
  const { segment, segmentSeconds, reserve, backlog, durability, content, input } = config.recording;
  return { directory, segmentBytes: segment, segmentSeconds, reserveBytes: reserve, backlogBytes: backlog, durability, content, input };
}

async function forceOf(
  config: Config,
  policy: Policy,
  credentials: Credentials,
): Promise<InForce<SshReachable> & { targets: Config['targets'] }> {
  const { principals, targets } = config;
  return { principals, targets, policy, certificates: await credentials.trustOf(config, admitsUnlisted(config)) };
}

/** Whether somebody may be here whom only the identity provider knows. */
function admitsUnlisted({ oidc }: Pick<Config, 'oidc'>): boolean {
  return oidc?.unlisted === true;
}

/** Told by `/readyz`. */
function whyNotReady({ live, recorder, ledger }: Pick<SessionParts, 'live' | 'recorder' | 'ledger'>): SallyportError | undefined {
  if (live.draining) return new SallyportError('GATEWAY_DRAINING', 'the gateway is shutting down', { remedy: 'try again in a moment' });
  if (recorder.space !== 'ample')
    return new SallyportError('DISK_LOW', 'the gateway has too little disk space to record a session', {
      remedy: 'free space in its data directory',
    });
  return ledger.trouble;
}

/** Principals, targets, limits and the retention follow a reload; what listeners and the recorder were built with does not. */
function warnOfWhatNeedsARestart(now: Config, next: Config, log: Log): void {
  for (const section of ['gateway', 'recording', 'ssh', 'ledger'] as const) {
    if (JSON.stringify(now[section], withoutRetention) !== JSON.stringify(next[section], withoutRetention))
      log.warn({ section }, `changes in the section ${section} take effect at the next start`);
  }
}

function withoutRetention(key: string, value: unknown): unknown {
  return key === 'retainSeconds' || key === 'retainByTag' ? undefined : value;
}
