import { setTimeout as delay } from 'node:timers/promises';
import type { RecordDraft } from '../../contract/record.ts';
import { asSallyportError } from '../base/errors.ts';
import type { SessionParts } from './session-parts.ts';

const FIRST_RETRY_MILLIS = 250;
const LONGEST_RETRY_MILLIS = 10_000;

/**
 * Appends the record of an end. What has ended can't be undone because the ledger refuses it at the moment (a full disk):
 * it is tried again until it is durable. Where the gateway stops before, recovery at the next start closes the session.
 */
export async function appendPersistently(draft: RecordDraft, parts: Pick<SessionParts, 'records' | 'log'>): Promise<void> {
  for (let wait = FIRST_RETRY_MILLIS; ; wait = Math.min(wait * 2, LONGEST_RETRY_MILLIS)) {
    try {
      await parts.records.append(draft);
      return;
    } catch (error) {
      const { code, message } = asSallyportError(error, 'LEDGER_FAILED');
      parts.log.warn({ session: draft.session, type: draft.type, code }, `not recorded yet, it will be tried again: ${message}`);
      await delay(wait, undefined, { ref: false });
    }
  }
}
