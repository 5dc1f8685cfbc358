import { createHash } from 'node:crypto';
import type { AuditRecord } from '../../contract/record.ts';
import { SallyportError } from '../base/errors.ts';
import { canonicalBytes } from './canonical-json.ts';

/** What a record may keep of one string or one list, tried in this order until the record fits. */
const KEPT = [
  { characters: 16_384, elements: 4096 },
  { characters: 4096, elements: 1024 },
  { characters: 1024, elements: 256 },
  { characters: 256, elements: 64 },
] as const;

/** The free-form members of bodies: when nothing else helps, they are replaced whole. */
const FREE_FORM = new Set(['detail', 'facts', 'result']);

/**
 * Makes a record fit without losing that it happened. What is cut says so in its place, with its full size and its
 * SHA-256, so that the full value can be recognised where it is kept (a command also stands in the recording):
 * `ls -la …[shortened: 90000 characters, sha256 …]`. Lists of strings end with such a marker. Only when that is not
 * enough is a free-form member replaced by `{"shortened":"… bytes of canonical JSON, sha256 …"}`.
 */
export function shortenRecord(record: AuditRecord, limit: number): { record: AuditRecord; bytes: Uint8Array } {
  for (const kept of KEPT) {
    const shorter = shorten(record, kept.characters, kept.elements) as AuditRecord;
    const bytes = canonicalBytes(shorter);
    if (bytes.length <= limit) return { record: shorter, bytes };
  }
  const shorter = shorten(withoutFreeForm(record), 256, 64) as AuditRecord;
  const bytes = canonicalBytes(shorter);
  if (bytes.length <= limit) return { record: shorter, bytes };
  throw new SallyportError('LEDGER_FAILED', `The record ${record.type} has ${bytes.length} bytes and cannot be shortened to ${limit}`);
}

function shorten(value: unknown, characters: number, elements: number): unknown {
  if (typeof value === 'string') return value.length <= characters ? value : shortString(value, characters);
  if (Array.isArray(value)) {
    // Only a list of strings can carry the marker; other lists keep all their elements, as their schema asks for.
    const cut = value.length > elements && typeof value[0] === 'string';
    const kept = (cut ? value.slice(0, elements) : value).map((element) => shorten(element, characters, elements));
    if (!cut) return kept;
    return [...kept, `…[shortened: ${value.length} elements, sha256 ${sha256(canonicalBytes(value))}]`];
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shorten(member, characters, elements)]));
}

function shortString(value: string, characters: number): string {
  // toWellFormed: the cut may have gone through a surrogate pair.
  const kept = value.slice(0, characters).toWellFormed();
  return `${kept}…[shortened: ${value.length} characters, sha256 ${sha256(Buffer.from(value, 'utf8'))}]`;
}

function withoutFreeForm(record: AuditRecord): unknown {
  const body = Object.entries<unknown>(record.body).map(([key, member]): [string, unknown] => {
    if (!FREE_FORM.has(key)) return [key, member];
    const bytes = canonicalBytes(member);
    return [key, { shortened: `${bytes.length} bytes of canonical JSON, sha256 ${sha256(bytes)}` }];
  });
  return { ...record, body: Object.fromEntries<unknown>(body) };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
