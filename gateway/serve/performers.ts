import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Config } from '../config/types.ts';
import type { Evidence } from '../evidence.ts';
import { recordExport, signBundle, signLedger } from '../operator-api/evidence-operations.ts';
import type { Performers } from '../operator-api/operations.ts';
import { recordView } from '../operator-api/view-operations.ts';
import type { Retention } from '../retention/retention.ts';
import { version } from '../version.ts';

/** What operations work on, in a running gateway and in a command that works on the data directory by itself. */
export interface PerformerParts extends Pick<Evidence, 'database' | 'records' | 'ledger'> {
  readonly dataDirectory: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly gatewayName: string;
  readonly retention: Retention;
  /** In force at the moment of the call; undefined where a command was told of a data directory alone. */
  readonly config: () => Config | undefined;
}

/** The one table of what does each operation of contract/operations.ts. */
export function performersOf(parts: PerformerParts): Performers {
  const { retention } = parts;
  const evidence = { ...parts, gateway: { name: parts.gatewayName, version } };
  return {
    'ledger.sign': () => signLedger(evidence),
    'export.recorded': (input, asking) => recordExport(input, asking, evidence),
    'view.recorded': (input, asking) => recordView(input, asking, parts),
    'attestation.sign': (input) => signBundle(input, evidence),
    'hold.set': (input, asking) => retention.setHold(input, asking),
    'hold.clear': (input, asking) => retention.clearHold(input, asking),
    'retention.run': (input, asking) => retention.run(input, asking),
    'erase.run': (input, asking) => retention.erase(input, asking),
  };
}
