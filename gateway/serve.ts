import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from './base/clock.ts';
import { asSallyportError, SallyportError } from './base/errors.ts';
import { createLog, type Log } from './base/log.ts';
import type { Config } from './config/types.ts';
import { loadConfig } from './config.ts';
import { openEvidence } from './evidence.ts';
import { AttemptLimiter } from './identity/attempt-limiter.ts';
import { readTargetCredential } from './identity/target-credentials.ts';
import type { PolicyInForce } from './policy/allow-list.ts';
import { policyOf } from './policy/allow-list.ts';
import type { Listener } from './protocol/listener.ts';
import { type HostKey, loadOrMakeHostKey } from './protocol/ssh/host-key.ts';
import { sshCrypto } from './protocol/ssh/native-crypto.ts';
import { listenSsh } from './protocol/ssh/ssh-listener.ts';
import { type SshServing, serveSshClient } from './protocol/ssh/ssh-session.ts';
import type { SshReachable, SshTargetSettings } from './protocol/ssh/ssh-target.ts';
import { Recorder } from './recording/recorder.ts';
import { LiveSessions } from './session/live-sessions.ts';
import type { SessionParts } from './session/session-parts.ts';
import { version } from './version.ts';

/** Seconds that running sessions are given at a shutdown before they are ended. */
const DRAIN_SECONDS = 5;
/** Seconds that their ends may take to be recorded after that. */
const CLOSE_SECONDS = 10;

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
  const dataDirectory = options.data ?? config.gateway.data;
  const clock = systemClock;

  const undo: Array<() => Promise<unknown>> = [];
  try {
    const evidence = await openEvidence(config, dataDirectory, { clock, log });
    undo.push(() => evidence.close());
    const { database, records, ledger } = evidence;
    const recorder = await Recorder.open(recordingOptions(config, dataDirectory), { records, clock, log });
    undo.push(() => recorder.close());
    const recovery = await recorder.recover(database.recovery);
    const hostKey = await loadOrMakeHostKey(dataDirectory);

    let inForce = forceOf(config);
    const live = new LiveSessions(() => config.limits);
    const limiter = new AttemptLimiter(config.limits.lockout);
    const parts: SessionParts<SshReachable> = { clock, log, records, ledger, recorder, live, limiter, inForce: () => inForce };
    endSessionsOnTrouble(recorder, live);

    const listeners: Listener[] = [];
    if (config.gateway.listen.ssh !== undefined) listeners.push(await listenForSsh(config, hostKey, parts, () => config));
    undo.push(() => Promise.all(listeners.map((listener) => listener.close())));

    const crypto = sshCrypto();
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

    return {
      listeners,
      hostKey,
      dataDirectory,
      recovered: recovery.sessions,
      reload: async () => {
        const next = loadConfig(options.config);
        const previous = config.hash;
        warnOfWhatNeedsARestart(config, next, log);
        await records.append({
          type: 'config.changed',
          outcome: 'success',
          actor: records.gateway,
          target: { name: config.gateway.name, kind: 'gateway' },
          body: { configuration: next.hash, previous },
        });
        config = next;
        inForce = forceOf(next);
        log.info({ configuration: next.hash, previous }, 'the configuration was reloaded');
      },
      close: async (reason) => {
        await Promise.all(listeners.map((listener) => listener.close()));
        await drain(live);
        await recorder.close();
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

function forceOf(config: Config): { principals: Config['principals']; targets: Config['targets']; policy: PolicyInForce } {
  return { principals: config.principals, targets: config.targets, policy: policyOf(config.targets.values()) };
}

function listenForSsh(config: Config, hostKey: HostKey, parts: SessionParts<SshReachable>, current: () => Config): Promise<Listener> {
  const listen = config.gateway.listen.ssh;
  if (listen === undefined) throw new SallyportError('CONFIG_INVALID', 'gateway.listen.ssh is missing');
  const ident = `Sallyport_${version}`;
  const rekey = { bytes: config.ssh.rekeyBytes, seconds: config.ssh.rekeySeconds };
  const serving: SshServing = {
    parts,
    limits: () => current().limits,
    connect: () => ({
      connect: current().limits.connect,
      handshake: current().limits.handshake,
      rekey,
      weakAlgorithms: config.ssh.weakAlgorithms,
      ident,
    }),
    credential: (target: SshTargetSettings) => {
      const configured = current().targets.get(target.name);
      if (configured?.kind !== 'ssh') throw new SallyportError('TARGET_UNKNOWN', `the target ${target.name} has been removed`);
      return readTargetCredential(configured);
    },
  };
  return listenSsh(
    {
      ...listen,
      hostKey,
      name: config.gateway.name,
      ident,
      ...(config.ssh.banner === undefined ? {} : { banner: config.ssh.banner }),
      weakAlgorithms: config.ssh.weakAlgorithms,
      rekey,
      handshake: config.limits.handshake,
      unauthenticated: config.limits.unauthenticated,
      authAttempts: config.limits.authAttempts,
    },
    parts,
    (client) => serveSshClient(client, serving),
  );
}

/** Fail closed: what can't be recorded any more ends. */
function endSessionsOnTrouble(recorder: Recorder, live: LiveSessions): void {
  recorder.onFailure((session, _channel, error) => live.find(session)?.end(error));
  recorder.onSpace((space) => {
    if (space === 'critical')
      live.endAll(new SallyportError('DISK_LOW', 'the disk of the gateway is almost full', { remedy: 'free space in its data directory' }));
  });
}

async function drain(live: LiveSessions): Promise<void> {
  const empty = live.drain();
  const endOthers = setTimeout(
    () => live.endAll(new SallyportError('GATEWAY_DRAINING', 'the gateway is shutting down', { remedy: 'connect again in a moment' })),
    DRAIN_SECONDS * 1000,
  );
  // A full disk must not keep the gateway from stopping: recovery closes at the next start what is not closed by then.
  const patience = new AbortController();
  await Promise.race([empty, delay((DRAIN_SECONDS + CLOSE_SECONDS) * 1000, undefined, { signal: patience.signal }).catch(() => undefined)]);
  patience.abort();
  clearTimeout(endOthers);
}

/** Principals, targets and limits follow a reload; what listeners and the recorder were built with does not. */
function warnOfWhatNeedsARestart(now: Config, next: Config, log: Log): void {
  for (const section of ['gateway', 'recording', 'ssh', 'ledger'] as const) {
    if (JSON.stringify(now[section]) !== JSON.stringify(next[section]))
      log.warn({ section }, `changes in the section ${section} take effect at the next start`);
  }
}
