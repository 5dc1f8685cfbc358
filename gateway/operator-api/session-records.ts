import type { OperationInput, OperationOutput } from '../../contract/operator-api.ts';
import { SallyportError } from '../base/errors.ts';
import { findSession } from '../query/find-session.ts';
import type { Database } from '../store/database.ts';
import type { RecordRow } from '../store/records-table.ts';
import { loginRequired } from './authorise.ts';
import type { Asking, Performers } from './operations.ts';
import type { ViewingGrants } from './recordings/viewing-grants.ts';
import { Turnstile } from './turnstile.ts';
import { recordView, type ViewParts } from './view-operations.ts';

/** Bytes of records in one answer: it is parsed and told in one go, which others wait for. One record may be more alone. */
const MOST_BYTES = 128 * 1024;
/** Records that are read at a time. */
const READ_TOGETHER = 32;
const AT_ONCE = 2;

export interface SessionRecordsParts extends ViewParts {
  readonly reading: () => Promise<Database>;
  readonly grants: ViewingGrants;
  /** Entries under the ledger's last signed checkpoint. */
  readonly signed: () => number;
}

type Told = OperationOutput<'session.records'>['records'][number];

export function sessionRecordOperations(parts: SessionRecordsParts): Pick<Performers, 'session.records'> {
  const turnstile = new Turnstile(AT_ONCE);
  return {
    'session.records': async (input, asking) => {
      const after = placeOf(input.cursor);
      const { id, state } = await findSession(await parts.reading(), input.session);
      // Of an erased session there is nothing to look at but that it was erased.
      if (state !== 'erased') await putLookOnRecord(id, asking, parts);
      return turnstile.pass(() => readPage(id, after, input, parts), asking.actor.principal);
    },
  };
}

/** Whoever looks at what is on record of a session is on record before they see it, once an hour. */
async function putLookOnRecord(session: string, asking: Asking, parts: SessionRecordsParts): Promise<void> {
  if (asking.operator === undefined) throw loginRequired();
  const look = { token: asking.operator.token, session };
  if (parts.grants.hasLooked(look)) return;
  await recordView({ session, how: 'details' }, asking, parts);
  parts.grants.look(look);
}

async function readPage(
  session: string,
  after: number,
  { limit }: Pick<OperationInput<'session.records'>, 'limit'>,
  { reading, signed }: SessionRecordsParts,
): Promise<OperationOutput<'session.records'>> {
  const database = await reading();
  const records: Told[] = [];
  let last = after;
  let bytes = 0;
  for (;;) {
    const rows = await database.records.ofSession(session, last, READ_TOGETHER);
    for (const row of rows) {
      bytes += row.bytes?.length ?? 0;
      if (records.length >= limit || (bytes > MOST_BYTES && records.length > 0)) return { records, cursor: String(last) };
      records.push(toldOf(row, signed()));
      last = row.seq;
    }
    if (rows.length < READ_TOGETHER) return { records };
  }
}

function toldOf({ seq, type, time, bytes, hash }: RecordRow, signed: number): Told {
  const record = bytes === null ? null : (JSON.parse(Buffer.from(bytes).toString('utf8')) as Record<string, unknown>);
  return { index: seq <= signed ? seq - 1 : null, type, time, record, sha256: Buffer.from(hash).toString('hex') };
}

/** A cursor is the place of the last record that was told, from 1. */
function placeOf(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  if (/^[1-9]\d{0,14}$/.test(cursor)) return Number(cursor);
  throw new SallyportError('REQUEST_INVALID', 'cursor: it is not one that a page before ended with');
}
