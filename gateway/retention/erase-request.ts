import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { isoMicros } from '../base/clock.ts';
import { SallyportError } from '../base/errors.ts';
import { canonicalBytes } from '../ledger/canonical-json.ts';
import type { IndexRange } from './plan-erasure.ts';

/*
 * What two operators sign before anything is erased on request: a file of canonical JSON (RFC 8785) that names every
 * session and every record, the data directory they are in, and until when it may be carried out. It names nobody: it
 * is kept for ever.
 */

/** The namespace of its signatures (ssh-keygen -Y sign -n). */
export const ERASE_NAMESPACE = 'sallyport-erase';

const TYPE = 'sallyport-erase/1';
const VALID_MICROS = 7 * 86_400 * 1_000_000;
/** The clock of whoever prepared it may be ahead. */
const CLOCK_SKEW_MICROS = 300 * 1_000_000;
/** What a record has room for, beside the signatures. */
export const MAX_REQUEST_BYTES = 32_768;

const uuid = z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
const time = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
const count = z.number().int().nonnegative();

const requestSchema = z.strictObject({
  type: z.literal(TYPE),
  /** Why, in words that name nobody. */
  basis: z.string().trim().min(1).max(2000),
  prepared: time,
  expires: time,
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
  ledger: z.strictObject({ origin: z.string().min(1).max(1024), size: count }),
  sessions: z.array(uuid),
  /** Ranges of ledger indexes, both ends included: refusals, which belong to no session. */
  records: z.array(z.tuple([count, count])),
});
export type EraseRequest = z.infer<typeof requestSchema>;

export interface RequestedErasure {
  basis: string;
  origin: string;
  /** Records in the ledger by now. */
  size: number;
  sessions: readonly string[];
  records: readonly IndexRange[];
}

/** The document, exactly as it is to be signed. Throws ERASE_REFUSED when it would be too long. */
export function prepareRequest({ basis, origin, size, sessions, records }: RequestedErasure, now: number): string {
  const request: EraseRequest = {
    type: TYPE,
    basis,
    prepared: isoMicros(now),
    expires: isoMicros(now + VALID_MICROS),
    nonce: randomBytes(16).toString('hex'),
    ledger: { origin, size },
    sessions: [...sessions].sort(),
    records: records.map(([first, last]): IndexRange => [first, last]),
  };
  const document = canonicalBytes(request).toString('utf8');
  if (Buffer.byteLength(document) > MAX_REQUEST_BYTES) {
    throw new SallyportError(
      'ERASE_REFUSED',
      `${sessions.length} sessions and ${records.length} ranges of records are too many for one request`,
      {
        remedy: 'prepare several, for example for a month each with --from and --to',
      },
    );
  }
  return document;
}

/** Reads a document strictly. Throws ERASE_REFUSED for anything that `prepareRequest` would not have written, or too late. */
export function readRequest(document: string, here: { origin: string; size: number }, now: number): EraseRequest {
  const request = parsed(document);
  if (request.ledger.origin !== here.origin)
    throw refused(`it is for the data of ${JSON.stringify(request.ledger.origin)}, and this is ${JSON.stringify(here.origin)}`);
  if (request.ledger.size > here.size)
    throw refused(`it was prepared when the ledger had ${request.ledger.size} records, and this one has ${here.size}`);
  if (isoMicros(now) >= request.expires) throw refused(`it expired at ${request.expires}`);
  const valid = microsOf(request.expires) - microsOf(request.prepared);
  if (isoMicros(now + CLOCK_SKEW_MICROS) < request.prepared || valid > VALID_MICROS) throw refused('its times are not those of a request');
  return request;
}

function parsed(document: string): EraseRequest {
  let value: unknown;
  try {
    value = JSON.parse(document);
  } catch {
    throw refused('it is not JSON');
  }
  const read = requestSchema.safeParse(value);
  if (!read.success) throw refused(`it is not a request of sallyport erase prepare: ${read.error.issues[0]?.path.join('.') ?? ''}`);
  // One form for one meaning: nobody signs a text that another program would read differently.
  if (canonicalBytes(read.data).toString('utf8') !== document) throw refused('it is not in the form in which it was prepared');
  if (new Set(read.data.sessions).size !== read.data.sessions.length) throw refused('it names a session twice');
  return read.data;
}

function microsOf(isoTime: string): number {
  return Date.parse(isoTime) * 1000;
}

export function refused(what: string, remedy = 'prepare a new request and have it signed'): SallyportError {
  return new SallyportError('ERASE_REFUSED', `The request is not carried out: ${what}`, { remedy });
}
