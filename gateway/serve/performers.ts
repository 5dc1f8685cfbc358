import type { Approvals } from '../approval/approvals.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Config } from '../config/types.ts';
import type { Evidence } from '../evidence.ts';
import type { Indexer } from '../indexing/indexer.ts';
import { approvalOperations } from '../operator-api/approval-operations.ts';
import type { EvidenceDesk } from '../operator-api/evidence/evidence-desk.ts';
import { recordExport, signBundle, signLedger } from '../operator-api/evidence-operations.ts';
import { type KeyParts, keyOperations } from '../operator-api/key-operations.ts';
import { type LinkParts, linkOperations } from '../operator-api/link-operations.ts';
import { lockOperations } from '../operator-api/lock-operations.ts';
import { loginOperations } from '../operator-api/login-operations.ts';
import type { Performers } from '../operator-api/operations.ts';
import { type OperatorParts, operatorOperations } from '../operator-api/operator-operations.ts';
import { type PolicyParts, policyOperations } from '../operator-api/policy-operations.ts';
import { policyTextOperations } from '../operator-api/policy-text.ts';
import { recordLocalSearch } from '../operator-api/record-search.ts';
import { recordingOperations } from '../operator-api/recordings/recording-operations.ts';
import type { RecordingParts } from '../operator-api/recordings/recording-parts.ts';
import { reviewOperations } from '../operator-api/reviews/review-operations.ts';
import { searchOperations } from '../operator-api/search-operations.ts';
import { activityOperations } from '../operator-api/session-activity.ts';
import { type SessionReading, sessionOperations } from '../operator-api/session-operations.ts';
import { sessionRecordOperations } from '../operator-api/session-records.ts';
import { type StatusParts, statusOperations } from '../operator-api/status-operations.ts';
import { liveStateOf, type SupervisionParts, supervisionOperations } from '../operator-api/supervision-operations.ts';
import { recordView } from '../operator-api/view-operations.ts';
import type { Retention } from '../retention/retention.ts';
import type { Locks } from '../session/locks.ts';
import { version } from '../version.ts';
import { rebuildIndex } from './rebuild-index.ts';

/** What operations work on, in a running gateway and in a command that works on the data directory by itself. */
export interface EvidencePerformerParts extends Pick<Evidence, 'database' | 'records' | 'ledger'> {
  readonly dataDirectory: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly gatewayName: string;
  readonly retention: Retention;
  readonly indexer: Indexer;
  /** In force at the moment of the call; undefined where a command was told of a data directory alone. */
  readonly config: () => Config | undefined;
}

type EvidenceOperation =
  | 'ledger.sign'
  | 'export.recorded'
  | 'view.recorded'
  | 'search.recorded'
  | 'attestation.sign'
  | 'hold.set'
  | 'hold.clear'
  | 'retention.run'
  | 'erase.run'
  | 'index.rebuild';

/** What is done to the evidence, which takes no gateway that runs. */
export function evidencePerformersOf(parts: EvidencePerformerParts): Pick<Performers, EvidenceOperation> {
  const { retention } = parts;
  const evidence = { ...parts, gateway: { name: parts.gatewayName, version } };
  return {
    'ledger.sign': () => signLedger(evidence),
    'export.recorded': (input, asking) => recordExport(input, asking, evidence),
    'view.recorded': (input, asking) => recordView(input, asking, parts),
    'search.recorded': (input, { actor }) => recordLocalSearch(input, actor, parts),
    'attestation.sign': (input) => signBundle(input, evidence),
    'hold.set': (input, asking) => retention.setHold(input, asking),
    'hold.clear': (input, asking) => retention.clearHold(input, asking),
    'retention.run': (input, asking) => retention.run(input, asking),
    'erase.run': (input, asking) => retention.erase(input, asking),
    'index.rebuild': (input, asking) => rebuildIndex(parts, input, asking),
  };
}

export type CredentialOperations = Pick<Performers, 'credential.issue' | 'credential.revoke' | 'credential.authority'>;

export interface PerformerParts extends EvidencePerformerParts, KeyParts, LinkParts, OperatorParts, SupervisionParts {
  readonly records: Evidence['records'];
  readonly reading: SessionReading['reading'];
  readonly status: StatusParts;
  readonly policy: PolicyParts;
  readonly approvals: Approvals;
  readonly locks: Locks;
  readonly credentials: CredentialOperations;
  readonly recordings: RecordingParts;
  readonly targets: SessionReading['targets'];
  readonly verified: SessionReading['verified'];
  readonly desk: EvidenceDesk;
}

/** The one table of what does each operation of contract/operator-api.ts in a running gateway. */
export function performersOf(parts: PerformerParts): Performers {
  const signed = () => parts.ledger.head.size;
  return {
    ...evidencePerformersOf(parts),
    ...statusOperations(parts.status),
    ...sessionOperations({ ...parts, signed, liveState: (session) => liveStateOf(session, parts) }),
    ...sessionRecordOperations({ ...parts.recordings, signed }),
    ...activityOperations(parts.recordings),
    ...policyTextOperations({ ...parts, policySet: parts.status.policySet }),
    ...searchOperations({ ...parts, screenText: parts.recordings.screenText }),
    ...recordingOperations(parts.recordings),
    ...reviewOperations({ ...parts, ...parts.recordings }),
    ...supervisionOperations(parts),
    ...lockOperations(parts.locks, parts.logInsChanged),
    ...approvalOperations({ approvals: parts.approvals, reading: parts.reading, origin: parts.ledger.key.name }),
    ...policyOperations(parts.policy),
    ...loginOperations(parts),
    ...linkOperations(parts),
    ...keyOperations(parts),
    ...operatorOperations(parts),
    ...parts.credentials,
    ...parts.desk.operations,
  };
}
