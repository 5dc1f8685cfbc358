import type { OperationInput, OperationOutput } from '../../contract/operator-api.ts';
import type { AuditRecord, Resource } from '../../contract/record.ts';
import { SallyportError } from '../base/errors.ts';
import type { Records } from '../ledger/records.ts';
import type { Asking } from './operations.ts';

interface Recorded {
  readonly records: { ofSession(session: string, after: number, limit: number): Promise<readonly { readonly bytes: Uint8Array | null }[]> };
}

export interface ViewParts {
  readonly database: Recorded;
  readonly records: Pick<Records, 'append'>;
}

/** Records read until one says what the session's target was. The first one does, unless it is erased. */
const FIRST_RECORDS = 10;

/** Records that somebody looked at a session. Answered when that is durable, so nothing has to be shown before. */
export async function recordView(
  { session, how, channel, from, to }: OperationInput<'view.recorded'>,
  { actor }: Pick<Asking, 'actor'>,
  { database, records }: ViewParts,
): Promise<OperationOutput<'view.recorded'>> {
  if (to !== undefined && to <= (from ?? 0)) throw new SallyportError('REQUEST_INVALID', 'to: it has to be later than from');
  const target = await targetOf(database, session);
  const stretch = {
    ...(channel === undefined ? {} : { channel }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  };
  await records.append({ type: 'access.viewed', outcome: 'success', actor, target, session, body: { how, ...stretch } });
  return {};
}

/** As the records of the session have it. Nobody looks at a session of which there is nothing. Throws SESSION_NOT_FOUND. */
export async function targetOf(database: Recorded, session: string): Promise<Resource> {
  for (const { bytes } of await database.records.ofSession(session, 0, FIRST_RECORDS))
    if (bytes !== null) return (JSON.parse(Buffer.from(bytes).toString('utf8')) as AuditRecord).target;
  throw new SallyportError('SESSION_NOT_FOUND', `There is no session ${session}, or nothing is left of it`);
}
