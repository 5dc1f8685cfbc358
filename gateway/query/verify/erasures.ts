import type { AuditRecord, SessionScope } from '../../../contract/record.ts';
import { asSallyportError } from '../../base/errors.ts';
import { verifySshSignature } from '../../ledger/ssh-signature.ts';
import { fault, notice, type Report } from './finding.ts';
import { IndexSet } from './index-set.ts';

/** A file that an `erased` record says is gone. */
export interface ErasedFile {
  index: number;
  session: string | undefined;
  file: string;
}

export interface ErasureCounts {
  sessions: number;
  records: number;
  files: number;
}

/** What `ssh-keygen -Y sign -n` is given by an operator who asks for an erasure. */
export const ERASURE_NAMESPACE = 'sallyport-erase';
/** Operators who have to agree. */
const NEEDED = 2;

interface Hold {
  scope: SessionScope;
  reason: string;
  index: number;
}

/**
 * Compares what is erased with what the records say was erased, by whom and why, and with the holds that stood at the
 * time. Memory: a bit for each index, and the holds in force.
 */
export class Erasures {
  readonly #report: Report;
  readonly #gone = new IndexSet();
  readonly #present = new IndexSet();
  readonly #promised = new IndexSet();
  /** Indexes whose erasure is on record and may not be completed yet: the gateway does it at its next start. */
  readonly #unfinished: ReadonlySet<number>;
  readonly #holds = new Map<string, Hold>();
  readonly #parts = new Map<string, { index: number; next: number; parts: number }>();
  files: ErasedFile[] = [];
  readonly counts: ErasureCounts = { sessions: 0, records: 0, files: 0 };

  /** A bundle has only a part of the records: what they refer to need not be among them. */
  readonly #part: boolean;

  constructor(report: Report, { unfinished, part }: { unfinished: ReadonlySet<number>; part: boolean }) {
    this.#report = report;
    this.#unfinished = unfinished;
    this.#part = part;
  }

  /** Ids of the holds in force. */
  get holds(): string[] {
    return [...this.#holds.keys()];
  }

  /** The record at this index has no bytes any more. */
  gone(index: number): void {
    this.#gone.add(index);
    this.counts.records += 1;
  }

  /** The record at this index has its bytes. */
  present(index: number): void {
    this.#present.add(index);
  }

  take(index: number, record: AuditRecord): void {
    if (record.type === 'hold.set') {
      const { hold, scope, reason } = record.body;
      this.#holds.set(hold, { scope, reason, index });
    } else if (record.type === 'hold.cleared') {
      if (this.#holds.delete(record.body.hold) || this.#part) return;
      this.#report(fault('inconsistent', { index }, `The hold ${record.body.hold} is cleared, and no record says that it stood`));
    } else if (record.type === 'erased') {
      this.#erased(index, record);
    }
  }

  finish(): void {
    for (const { first, last } of this.#gone.without(this.#promised)) {
      const hashes = first === last ? 'its hash' : 'their hashes';
      if (this.#part) {
        const words = `${howMany(first, last)} erased, and the record that says who did it and why is not in this bundle. The ledger still has ${hashes}`;
        this.#report(notice('unproven', place(first, last), words));
      } else {
        const words = `${howMany(first, last)} emptied, and no record says who did it and why. The ledger still has ${hashes}`;
        this.#report(fault('missing', place(first, last), words));
      }
    }
    for (const { first, last } of this.#promised.and(this.#present)) {
      const words = `${howMany(first, last)} said to be erased, and ${first === last ? 'is' : 'are'} still there`;
      this.#report(fault('inconsistent', place(first, last), words));
    }
    if (!this.#part)
      for (const { index, next, parts } of this.#parts.values())
        this.#report(fault('missing', { index }, `An erasure has ${parts} records, and only ${next - 1} of them are there`));
    for (const { index, scope, reason } of this.#holds.values())
      this.#report(notice('held', { index }, `A hold is in force on ${scopeWords(scope)}: ${reason}`));
  }

  #erased(index: number, { session, time, actor, target, body }: AuditRecord<'erased'>): void {
    const where = { index, ...(session === undefined ? {} : { session }) };
    if (body.remains !== undefined) this.counts.sessions += 1;
    this.counts.files += body.files.length;
    this.#countParts(index, session, body.part, body.parts);
    this.#promise(index, body.records);
    if (!this.#unfinished.has(index)) for (const { file } of body.files) this.files.push({ index, session, file });
    for (const hold of this.#holds.values()) {
      if (session === undefined || !isHeld(hold.scope, session, target.name, body.remains)) continue;
      this.#report(fault('inconsistent', where, `The session was erased while a hold stood on it (record ${hold.index}: ${hold.reason})`));
    }
    const by = body.request === undefined ? actor.principal : this.#requestedBy(index, body.request);
    if (body.basis === 'request' && body.request === undefined)
      this.#report(fault('unsigned', where, 'An erasure on request carries no request'));
    if (body.part > 1) return;
    const what = session === undefined ? 'Records that belong to no session were' : 'The session was';
    const pending = this.#unfinished.has(index) ? '. It is not completed; the gateway does so when it runs' : '';
    this.#report(notice('erased', where, `${what} erased on ${time.slice(0, 10)} by ${by}: ${body.reason}${pending}`));
  }

  #countParts(index: number, session: string | undefined, part: number, parts: number): void {
    const key = session ?? '';
    const open = this.#parts.get(key) ?? (this.#part ? { next: part, parts } : undefined);
    if (part !== (open?.next ?? 1) || (open !== undefined && open.parts !== parts) || part > parts) {
      this.#report(
        fault('inconsistent', { index }, `This is part ${part} of ${parts} of an erasure, where part ${open?.next ?? 1} was expected`),
      );
      this.#parts.delete(key);
    } else if (part === parts) {
      this.#parts.delete(key);
    } else {
      this.#parts.set(key, { index, next: part + 1, parts });
    }
  }

  #promise(index: number, ranges: readonly (readonly [number, number])[]): void {
    let before = -1;
    for (const [first, last] of ranges) {
      // Ranges that overlap or lie ahead are no gateway's; they could also be made to cost a verifier its time.
      if (first <= before || last < first || last >= index) {
        this.#report(fault('malformed', { index }, `The record says that the records ${first} to ${last} are erased, which cannot be`));
        return;
      }
      before = last;
      if (!this.#unfinished.has(index)) this.#promised.addRange(first, last);
      else for (let each = first; each <= last; each += 1) if (this.#gone.has(each)) this.#promised.add(each);
    }
  }

  /** The names as the record has them; the signatures are checked, whose keys they are cannot be. */
  #requestedBy(index: number, request: NonNullable<AuditRecord<'erased'>['body']['request']>): string {
    const document = Buffer.from(request.document, 'utf8');
    const keys = new Set<string>();
    for (const { principal, signature } of request.signatures) {
      try {
        keys.add(verifySshSignature(signature, document, ERASURE_NAMESPACE).line);
      } catch (thrown) {
        this.#report(
          fault(
            'forged',
            { index },
            `The signature of ${principal} under the request to erase does not verify: ${asSallyportError(thrown).message}`,
          ),
        );
      }
    }
    if (keys.size < NEEDED)
      this.#report(
        fault('unsigned', { index }, `The request to erase is signed with ${keys.size} keys, and ${NEEDED} different ones are needed`),
      );
    return request.signatures.map(({ principal }) => principal).join(' and ');
  }
}

/** Only scopes that can be told from what remains of an erased session; of others nothing can be said any more. */
function isHeld(scope: SessionScope, session: string, target: string, remains: AuditRecord<'erased'>['body']['remains']): boolean {
  const { principal, onBehalfOf, state, text, ...rest } = scope;
  if (principal !== undefined || onBehalfOf !== undefined || state !== undefined || text !== undefined) return false;
  if (rest.session !== undefined && rest.session !== session) return false;
  if (rest.target !== undefined && rest.target !== target) return false;
  if (rest.protocol === undefined && rest.from === undefined && rest.to === undefined) return true;
  if (remains === undefined) return false;
  if (rest.protocol !== undefined && rest.protocol !== remains.protocol) return false;
  return (rest.from === undefined || remains.started >= rest.from) && (rest.to === undefined || remains.started < rest.to);
}

function scopeWords(scope: SessionScope): string {
  return Object.entries(scope)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

function howMany(first: number, last: number): string {
  return first === last ? `The record at index ${first} is` : `${last - first + 1} records are`;
}

function place(first: number, last: number) {
  return first === last ? { index: first } : { index: first, last };
}
