import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Config } from '../config/types.ts';
import type { Evidence } from '../evidence.ts';
import { RESERVE_FILE } from '../recording/journal-layout.ts';
import { type MadeOfRecordings, Retention } from '../retention/retention.ts';
import { retentionTerms } from '../retention/retention-terms.ts';

export interface RetentionSurroundings extends Pick<Evidence, 'database' | 'records' | 'ledger'> {
  readonly dataDirectory: string;
  readonly made: MadeOfRecordings;
  readonly clock: Clock;
  readonly log: Log;
  readonly gatewayName: string;
  readonly config: () => Config | undefined;
  /** Of a running gateway, which keeps the reserve; without one, the file is given back here. */
  readonly releaseReserve?: () => void;
}

/** Retention as the configuration in force has it, for a running gateway and for a command that works by itself. */
export function retentionOf(surroundings: RetentionSurroundings): Retention {
  const { database, records, ledger, made, dataDirectory, clock, log, gatewayName, config } = surroundings;
  return new Retention({
    database,
    records,
    made,
    clock,
    log,
    gatewayName,
    origin: ledger.key.name,
    terms: () => {
      const inForce = config();
      return inForce === undefined ? undefined : retentionTerms(inForce);
    },
    principals: () => config()?.principals,
    releaseReserve: surroundings.releaseReserve ?? (() => rmSync(join(dataDirectory, RESERVE_FILE), { force: true })),
  });
}
