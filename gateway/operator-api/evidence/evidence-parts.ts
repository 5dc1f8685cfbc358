import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Records } from '../../ledger/records.ts';
import type { runJob } from '../../query/jobs/job-thread.ts';
import type { Database } from '../../store/database.ts';
import type { VerifiedSessions } from '../verified-sessions.ts';

/** What evidence is looked at, asked and taken away with. */
export interface EvidenceDeskParts {
  readonly dataDirectory: string;
  /** A connection of its own: what somebody reads does not keep records waiting. */
  readonly reading: () => Promise<Database>;
  readonly records: Pick<Records, 'append' | 'flush' | 'onDurable'>;
  readonly ledger: Pick<Ledger, 'head' | 'signedAt' | 'key' | 'signed' | 'attest'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly gatewayName: string;
  readonly version: string;
  readonly verified: VerifiedSessions;
  /** Bytes that are free on the disk above what recording needs. */
  readonly room: () => Promise<number>;
  readonly run: typeof runJob;
  /** Aborted when the gateway stops. */
  readonly stopping: AbortSignal;
}
