import { isUtf8 } from 'node:buffer';
import { type AuditRecord, MAX_RECORD_BYTES, type RecordType, recordBodies, recordSchema } from '../../../contract/record.ts';
import { canonicalBytes } from '../../ledger/canonical-json.ts';

/** A record as its bytes say it, or why they are none. `newer`: of a type that this version does not know. */
export type RecordForm =
  | { state: 'record'; record: AuditRecord }
  | { state: 'newer'; record: Envelope }
  | { state: 'malformed'; why: string };

/** What every record has, whatever its type. */
export interface Envelope {
  id: string;
  time: string;
  type: string;
  session?: string;
}

type Schema = ReturnType<typeof recordSchema<RecordType>>;

const NAMED_ISSUES = 3;
const schemas = new Map<string, Schema>((Object.keys(recordBodies) as RecordType[]).map((type) => [type, recordSchema(type)]));

/**
 * Reads the bytes of a record: canonical JSON (RFC 8785) in UTF-8 of at most 64 KiB, so that there is one way to write
 * a fact and one hash of it; no member twice; the schema of its type.
 */
export function readRecord(bytes: Uint8Array): RecordForm {
  if (bytes.length > MAX_RECORD_BYTES)
    return malformed(`it has ${bytes.length} bytes, more than the ${MAX_RECORD_BYTES} that a record may have`);
  if (!isUtf8(bytes)) return malformed('it is not UTF-8');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
    if (!isCanonical(text, value))
      return malformed('it is not canonical JSON: spaces, the order or a repetition of members, or another way to write a value');
  } catch (thrown) {
    // Also text nested so deeply that it would not fit the stack, which no gateway writes.
    return malformed(`it is not JSON: ${thrown instanceof Error ? thrown.message.slice(0, 200) : String(thrown)}`);
  }
  if (!isEnvelope(value)) return malformed('it is not an object with id, time and type');
  const schema = schemas.get(value.type);
  if (schema === undefined) return { state: 'newer', record: value };
  const parsed = schema.safeParse(value);
  if (parsed.success) return { state: 'record', record: value as unknown as AuditRecord };
  const issues = parsed.error.issues.slice(0, NAMED_ISSUES).map(({ path, message }) => `${path.join('.') || 'record'}: ${message}`);
  return malformed(`it is no record of type ${value.type}: ${issues.join('; ').slice(0, 500)}`);
}

/**
 * Serialised again as it stands, a canonical text is itself: JSON.stringify writes strings and numbers as RFC 8785 does
 * (both refer to ECMAScript), and a member that was there twice is there once. The order of members is left to see to.
 * Names that look like array indexes are an exception, for V8 puts them in front, and so are halves of surrogate pairs,
 * which RFC 8785 does not have: there the slow way decides.
 */
function isCanonical(text: string, value: unknown): boolean {
  if (JSON.stringify(value) === text && isSorted(value) && !text.includes('\\ud')) return true;
  return canonicalBytes(value).toString('utf8') === text;
}

function isSorted(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isSorted);
  let before: string | undefined;
  for (const name in value) {
    if (before !== undefined && before >= name) return false;
    before = name;
    if (!isSorted((value as Record<string, unknown>)[name])) return false;
  }
  return true;
}

function isEnvelope(value: unknown): value is Envelope {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const { id, time, type, session } = value as Record<string, unknown>;
  return (
    typeof id === 'string' && typeof time === 'string' && typeof type === 'string' && (session === undefined || typeof session === 'string')
  );
}

function malformed(why: string): RecordForm {
  return { state: 'malformed', why };
}
