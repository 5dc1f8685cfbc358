import { statfs } from 'node:fs/promises';
import type { PrincipalFacts, TargetFacts } from '../../contract/policy.ts';
import type { Approvals } from '../approval/approvals.ts';
import { isoMicros } from '../base/clock.ts';
import type { SallyportError } from '../base/errors.ts';
import type { Config } from '../config/types.ts';
import { AttemptLimiter } from '../identity/attempt-limiter.ts';
import type { Principal } from '../identity/principal.ts';
import type { BrowserLogInParts } from '../operator-api/browser-log-in.ts';
import { EventFeed } from '../operator-api/events.ts';
import { type EvidenceDesk, openEvidenceDesk } from '../operator-api/evidence/evidence-desk.ts';
import type { HttpsListener } from '../operator-api/https-listener.ts';
import { LogIns } from '../operator-api/log-ins.ts';
import { LoginChallenges } from '../operator-api/login-challenges.ts';
import { LoginCodes } from '../operator-api/login-codes.ts';
import { enterProvided, type ProvidedPerson } from '../operator-api/login-operations.ts';
import { Metrics } from '../operator-api/metrics.ts';
import type { Performers } from '../operator-api/operations.ts';
import { programToken, type StoredToken } from '../operator-api/operator-operations.ts';
import type { RecordingParts } from '../operator-api/recordings/recording-parts.ts';
import { RefusedLogIns } from '../operator-api/refused-log-ins.ts';
import type { SupervisionParts } from '../operator-api/supervision-operations.ts';
import { VerifiedSessions } from '../operator-api/verified-sessions.ts';
import { loginCookie } from '../operator-api/who-asks.ts';
import type { Listener } from '../protocol/listener.ts';
import { runJob } from '../query/jobs/job-thread.ts';
import type { Locks } from '../session/locks.ts';
import type { SessionParts, SessionTarget } from '../session/session-parts.ts';
import { Database } from '../store/database.ts';
import { version } from '../version.ts';
import { providerLogIns as providerLogInsOf } from './oidc.ts';
import { operatorsOf } from './operators.ts';
import { type CredentialOperations, type EvidencePerformerParts, performersOf } from './performers.ts';
import { type RecordingSurroundings, recordingsOf } from './recordings.ts';
import type { RegisteredKeysInForce } from './registered-keys.ts';

export interface OperatorApiSurroundings extends EvidencePerformerParts, SupervisionParts {
  readonly config: () => Config;
  readonly session: Pick<SessionParts, 'live' | 'inForce' | 'recorder'>;
  readonly recordings: Pick<RecordingSurroundings, 'casts' | 'indexing'>;
  readonly crypto: 'native' | 'javascript';
  readonly approvals: Approvals;
  readonly locks: Locks;
  readonly credentials: CredentialOperations;
  readonly keys: RegisteredKeysInForce;
  readonly unready: () => SallyportError | undefined;
  readonly reload: () => Promise<void>;
}

/** What the listeners of the operator API answer from, and what they tell it when they are there. */
export interface OperatorApi {
  readonly performers: Performers;
  readonly logIns: LogIns;
  readonly refused: RefusedLogIns;
  readonly events: EventFeed;
  readonly metrics: () => string;
  readonly version: string;
  readonly browserLogIn: BrowserLogInParts<ProvidedPerson>;
  readonly recordings: RecordingParts;
  readonly desk: EvidenceDesk;
  /** To be told when they listen: what `gateway.status` says, and the certificate that a log-in is bound to. */
  listensOn(listeners: readonly Listener[], https: Pick<HttpsListener, 'fingerprint' | 'logInsChanged'> | undefined): void;
  /** A reload or a lock may have ended log-ins: what runs with them ends too. */
  logInsChanged(): void;
  /** A new configuration is in force: those who listen are told. */
  configurationInForce(): void;
  /** Nobody may ask any more. */
  close(): Promise<void>;
}

export async function operatorApiOf(surroundings: OperatorApiSurroundings): Promise<OperatorApi> {
  const { config, clock, database, records, ledger, log, gatewayName, session, locks, keys } = surroundings;
  let listeners: readonly Listener[] = [];
  let https: Parameters<OperatorApi['listensOn']>[1];
  const logInsChanged = (): void => https?.logInsChanged();
  const operators = operatorsOf(
    config,
    (name) => locks.isLocked(name),
    (name) => keys.keysOf(name),
  );
  const logIns = new LogIns(operators, clock);
  for (const row of await database.operatorTokens.inForce(clock.wallMicros())) logIns.put(programToken(row as StoredToken));
  const { lockout } = config().limits;
  const limiters = { logIns: new AttemptLimiter(lockout), tokens: new AttemptLimiter(lockout) };
  const refused = new RefusedLogIns({ limiters, records, clock, log, gatewayName });
  const events = new EventFeed(records, log);
  const metrics = new Metrics({
    version,
    crypto: surroundings.crypto,
    live: session.live,
    recorder: session.recorder,
    records,
    ledger,
    approvalsWaiting: () => surroundings.approvals.waiting,
    logIns,
    indexer: surroundings.indexer,
  });
  const providerLogIns = providerLogInsOf(config);
  // Opened by whoever asks first: a gateway that nobody asks has no second connection.
  let reader: Promise<Database> | undefined;
  const reading = (): Promise<Database> => {
    reader ??= Database.openForReading(surroundings.dataDirectory).catch((error: unknown) => {
      reader = undefined;
      throw error;
    });
    return reader;
  };
  const login = {
    ...surroundings,
    ...keys,
    origin: ledger.key.name,
    logIns,
    operators,
    refused,
    tokens: database.operatorTokens,
    challenges: new LoginChallenges({ clock, origin: ledger.key.name, certificate: () => https?.fingerprint ?? '' }),
    codes: new LoginCodes(clock),
    logInsChanged,
    providerLogIns,
  };
  const recordings = recordingsOf({ ...surroundings, ...surroundings.recordings, recorder: session.recorder }, reading);
  const verified = new VerifiedSessions();
  const desk = await openEvidenceDesk({
    ...surroundings,
    reading,
    version,
    verified,
    run: runJob,
    room: () => roomBeside(surroundings.dataDirectory, config().recording.reserve),
  });
  const performers = performersOf({
    ...login,
    reading,
    recordings,
    targets: () => session.inForce().targets,
    verified,
    desk,
    policy: {
      clock,
      decide: (request) => session.inForce().policy.decide(request),
      principal: (name) => factsOf(session.inForce().principals.get(name)),
      target: (name) => targetFacts(session.inForce().targets.get(name)),
    },
    status: {
      gateway: { name: gatewayName, version, started: isoMicros(clock.wallMicros()) },
      ledger,
      live: session.live,
      listeners: () => listeners,
      approvalsWaiting: () => surroundings.approvals.waiting,
      policySet: () => session.inForce().policy.policySet,
      configuration: () => config().hash,
      reload: surroundings.reload,
      unready: surroundings.unready,
    },
  });
  return {
    performers,
    logIns,
    refused,
    events,
    metrics: () => metrics.text(),
    version,
    recordings,
    desk,
    browserLogIn: {
      log,
      provider: () => providerLogIns.browser(),
      admits: (source) => refused.allows(source),
      begin: async (person, source) => {
        const { token, expires } = await enterProvided(person, source, login);
        return { cookie: loginCookie(token, expires) };
      },
      refused: (reason, source) => refused.logIn(source, { method: 'oidc', user: '', reason }),
    },
    listensOn: (all, own) => {
      listeners = all;
      https = own;
    },
    logInsChanged,
    configurationInForce: () => events.inForce(),
    close: async () => {
      events.close();
      metrics.close();
      await desk.close();
      await (await reader)?.close();
    },
  };
}

/** Bytes that are free without new sessions being refused: they are, until there is a quarter more than the reserve. */
async function roomBeside(directory: string, reserve: number): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize - reserve * 1.25;
}

function factsOf(principal: Principal | undefined): PrincipalFacts | undefined {
  if (principal === undefined) return undefined;
  const { name, kind, onBehalfOf, groups } = principal;
  return { name, kind, groups, ...(onBehalfOf === undefined ? {} : { onBehalfOf }) };
}

function targetFacts(target: SessionTarget | undefined): TargetFacts | undefined {
  return target === undefined ? undefined : { name: target.name, kind: target.kind, tags: target.tags };
}
