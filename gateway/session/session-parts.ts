import type { Approvals } from '../approval/approvals.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { AttemptLimiter } from '../identity/attempt-limiter.ts';
import type { CertificateTrust } from '../identity/identify-certificate.ts';
import type { Principal } from '../identity/principal.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Records } from '../ledger/records.ts';
import type { Policy } from '../policy/policy.ts';
import type { Recorder } from '../recording/recorder.ts';
import type { LiveSessions } from './live-sessions.ts';
import type { Locks } from './locks.ts';

/** What sessions are made of. `serve.ts` builds it once; what a reload may change is asked for at each use. */
export interface SessionParts<Target extends SessionTarget = SessionTarget> {
  readonly clock: Clock;
  readonly log: Log;
  readonly records: Records;
  readonly ledger: Pick<Ledger, 'signed' | 'trouble'>;
  readonly recorder: Recorder;
  readonly live: LiveSessions;
  readonly locks: Pick<Locks, 'lockOn'>;
  readonly limiter: AttemptLimiter;
  readonly approvals: Approvals;
  readonly inForce: () => InForce<Target>;
}

/** The part of the configuration that a reload replaces as a whole. */
export interface InForce<Target extends SessionTarget = SessionTarget> {
  readonly principals: ReadonlyMap<string, Principal>;
  readonly targets: ReadonlyMap<string, Target>;
  readonly policy: Policy;
  /** Whose SSH certificates are believed; without it, nobody's are. */
  readonly certificates?: CertificateTrust;
}

/** What every kind of target has. `address` is for people and records. */
export interface SessionTarget {
  readonly name: string;
  readonly kind: 'ssh' | 'shell' | 'postgres' | 'mysql' | 'mcp';
  readonly tags: Readonly<Record<string, string>>;
  readonly address?: string | { readonly host: string; readonly port: number };
  readonly recording: { readonly content?: 'digest' | 'whole'; readonly input?: boolean };
  /** Seconds without a byte in either direction until the session ends; overrides the gateway's own. */
  readonly idle?: number;
}
