import { type Actor, MAX_RECORD_BYTES, type RecordBody, type RecordDraft, type Resource } from '../../contract/record.ts';
import { SallyportError } from '../base/errors.ts';
import type { ErasedFile, ErasurePlan, IndexRange } from './plan-erasure.ts';

type ErasedBody = RecordBody<'erased'>;

/** Why, by whom, and the signed request where there is one. */
export interface Grounds {
  readonly basis: ErasedBody['basis'];
  readonly reason: string;
  readonly actor: Actor;
  readonly request?: ErasedBody['request'];
}

/** What `id`, `time`, `actor` and the like of a record may take, beside its body. */
const ENVELOPE_BYTES = 4096;

/** The records of a session's erasure: as many as it takes, for each has to fit into 64 KiB. */
export function erasedSession(plan: ErasurePlan, grounds: Grounds): RecordDraft<'erased'>[] {
  const { session, target, remains } = plan;
  return drafts(plan.files, plan.ranges, grounds, { target, session, remains });
}

/** The same for records that belong to no session. */
export function erasedRefusals(ranges: readonly IndexRange[], grounds: Grounds, gateway: Resource): RecordDraft<'erased'>[] {
  return drafts([], ranges, grounds, { target: gateway });
}

interface About {
  target: Resource;
  session?: string;
  remains?: ErasedBody['remains'];
}

/**
 * Files before records: what a record without bytes had said of files would otherwise be lost with a part that never
 * came. The request stands in the first part.
 */
function drafts(files: readonly ErasedFile[], ranges: readonly IndexRange[], grounds: Grounds, about: About): RecordDraft<'erased'>[] {
  const { basis, reason, actor, request } = grounds;
  const { target, session, remains } = about;
  const fixed = ENVELOPE_BYTES + sizeOf(reason) + sizeOf(actor) + sizeOf(about);
  const first = { files: [] as ErasedFile[], records: [] as IndexRange[], bytes: fixed + (request === undefined ? 0 : sizeOf(request)) };
  if (first.bytes > MAX_RECORD_BYTES) throw tooLarge();
  const parts = [first];
  let current = first;
  const takeRoom = (bytes: number) => {
    if (current.bytes + bytes > MAX_RECORD_BYTES) {
      current = { files: [], records: [], bytes: fixed };
      parts.push(current);
    }
    current.bytes += bytes;
  };
  for (const file of files) {
    takeRoom(sizeOf(file) + 1);
    current.files.push(file);
  }
  for (const range of ranges) {
    takeRoom(sizeOf(range) + 1);
    current.records.push(range);
  }
  return parts.map((part, index) => ({
    type: 'erased',
    outcome: 'success',
    actor,
    target,
    ...(session === undefined ? {} : { session }),
    body: {
      basis,
      reason,
      ...(remains === undefined ? {} : { remains }),
      files: part.files,
      records: part.records,
      part: index + 1,
      parts: parts.length,
      ...(index === 0 && request !== undefined ? { request } : {}),
    },
  }));
}

function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function tooLarge(): SallyportError {
  return new SallyportError('ERASE_REFUSED', 'The request and its signatures do not fit into one record', {
    remedy: 'prepare several requests for fewer sessions each, and sign with shorter keys',
  });
}
