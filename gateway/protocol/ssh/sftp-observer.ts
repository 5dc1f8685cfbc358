import { createHash } from 'node:crypto';
import type { RecordedEvent, StreamName } from '../../../contract/frame-codec.ts';
import { type FieldReader, MalformedMessage, textFact } from './connection-messages.ts';
import { AheadBudget, ContentDigest } from './content-digest.ts';
import type { ChannelObserver } from './relayed-channel.ts';
import { openFlags, readAttributes, SftpPackets, SftpType, statusName, UndecodableSftp } from './sftp-packets.ts';

/**
 * Bytes of requests without a reply, and of open handles, that are kept. Paramiko asks for a whole file at once: 32,768
 * requests for 1 GiB. More is a peer that is not worth memory.
 */
const MAX_KEPT = 16 * 1024 * 1024;
/** What one open handle costs: two digests, mostly. */
const HANDLE_OVERHEAD = 2048;
/** What one request costs beside its texts. */
const OVERHEAD = 128;
/** Characters of a path that an event carries; file systems stop at 4096 bytes. */
const MAX_PATH = 8192;

interface Seen {
  event: RecordedEvent;
  marker?: string;
}

interface OpenHandle {
  path: string;
  directory: boolean;
  flags: string[];
  read: ContentDigest;
  written: ContentDigest;
  /** The lowest offset that was asked for and has not been answered: where reading began. */
  firstRead: number | undefined;
  failedWrites: number;
  entries: number;
  kept: number;
}

interface Pending {
  type: number;
  /** What the event will say, but for the result. */
  facts: Record<string, unknown>;
  handle?: OpenHandle;
  handleName?: string;
  offset?: number;
  kept: number;
}

type Described = Omit<Pending, 'kept'>;

/**
 * SFTP decoded on its way through: requests and replies matched, handles resolved to paths, the digest of every file's
 * content kept. Nothing is changed. What can't be decoded is said once, and the bytes are recorded all the same.
 */
export class SftpObserver implements ChannelObserver {
  readonly #requests = new SftpPackets();
  readonly #replies = new SftpPackets();
  /** By number; a client that uses a number twice is answered in the order of its requests. */
  readonly #pending = new Map<number, Pending[]>();
  readonly #handles = new Map<string, OpenHandle>();
  /** Names of handles with requests to close them that have no reply yet, and how many: the target may give the name again at once. */
  readonly #closing = new Map<string, number>();
  readonly #ahead = new AheadBudget();
  #kept = 0;
  #undecodable = false;

  bytes(stream: StreamName, bytes: Buffer): Seen[] {
    if (this.#undecodable || stream === 'e') return [];
    const seen: Seen[] = [];
    try {
      const packets = (stream === 'i' ? this.#requests : this.#replies).push(bytes);
      for (const { type, fields } of packets) {
        const event = stream === 'i' ? this.#request(type, fields) : this.#reply(type, fields);
        if (event !== undefined) seen.push(event);
      }
    } catch (error) {
      if (!(error instanceof UndecodableSftp || error instanceof MalformedMessage)) throw error;
      this.#undecodable = true;
      seen.push(...this.#unfinished('not decoded any more'));
      seen.push({ event: { t: 'content', kept: 'detect' } });
      seen.push({
        event: { t: 'file', op: 'undecodable', by: stream === 'i' ? 'client' : 'target', why: error.message },
        marker: 'SFTP that cannot be decoded',
      });
    }
    return seen;
  }

  /**
   * An open handle, as far as it is known what it stands for. Once it is asked to be closed it is not: the target is ahead
   * of its replies, and may have given the name to another file.
   */
  handle(name: string): OpenHandle | undefined {
    return this.#closing.has(name) ? undefined : this.#handles.get(name);
  }

  finish(): Seen[] {
    return this.#unfinished('channel closed');
  }

  /** What was asked and not answered may have been done all the same. */
  #unfinished(why: string): Seen[] {
    const seen: Seen[] = [];
    for (const pending of [...this.#pending.values()].flat()) {
      if (!silent.has(pending.type)) seen.push(operation(pending, `no answer: ${why}`, {}));
    }
    for (const handle of this.#handles.values()) {
      if (!handle.directory) seen.push(closed(handle, why));
    }
    this.#pending.clear();
    this.#handles.clear();
    this.#closing.clear();
    this.#kept = 0;
    return seen;
  }

  #request(type: number, fields: FieldReader): Seen | undefined {
    if (type === SftpType.INIT) return undefined;
    const id = fields.uint32();
    const described = this.#describe(type, fields);
    const kept = OVERHEAD + (described.handle === undefined ? textLength(described.facts) : 0) + (described.handleName?.length ?? 0);
    this.#keep(kept);
    const pending = { ...described, kept };
    const earlier = this.#pending.get(id);
    if (earlier === undefined) this.#pending.set(id, [pending]);
    else earlier.push(pending);
    return undefined;
  }

  #keep(bytes: number): void {
    this.#kept += bytes;
    if (this.#kept > MAX_KEPT) throw new UndecodableSftp('too many requests without a reply, or open handles');
  }

  #describe(type: number, fields: FieldReader): Described {
    switch (type) {
      case SftpType.OPEN: {
        const path = pathFact('path', fields);
        const flags = openFlags(fields.uint32());
        return { type, facts: { op: 'open', ...path, flags, attributes: readAttributes(fields) } };
      }
      case SftpType.OPENDIR:
        return { type, facts: { op: 'opendir', ...pathFact('path', fields) } };
      case SftpType.CLOSE: {
        const pending = this.#onHandle(type, fields, 'close');
        const name = pending.handleName;
        this.#closing.set(name, (this.#closing.get(name) ?? 0) + 1);
        return pending;
      }
      case SftpType.READ: {
        const pending = this.#onHandle(type, fields, 'read');
        const offset = Number(fields.uint64());
        if (pending.handle !== undefined) pending.handle.firstRead = Math.min(pending.handle.firstRead ?? offset, offset);
        return { ...pending, offset };
      }
      case SftpType.WRITE: {
        const pending = this.#onHandle(type, fields, 'write');
        pending.handle?.written.add(Number(fields.uint64()), fields.bytes());
        return pending;
      }
      case SftpType.FSTAT:
      case SftpType.READDIR:
        return this.#onHandle(type, fields, type === SftpType.FSTAT ? 'fstat' : 'readdir');
      case SftpType.FSETSTAT: {
        const pending = this.#onHandle(type, fields, 'setstat');
        return { ...pending, facts: { ...pending.facts, attributes: readAttributes(fields) } };
      }
      case SftpType.SETSTAT:
      case SftpType.MKDIR:
        return {
          type,
          facts: { op: type === SftpType.MKDIR ? 'mkdir' : 'setstat', ...pathFact('path', fields), attributes: readAttributes(fields) },
        };
      case SftpType.RENAME:
        return { type, facts: { op: 'rename', ...pathFact('path', fields), ...pathFact('to', fields) } };
      case SftpType.SYMLINK:
        // OpenSSH has the two the other way round than the draft, and everybody follows OpenSSH (its PROTOCOL, 4.1).
        return { type, facts: { op: 'symlink', ...pathFact('to', fields), ...pathFact('path', fields) } };
      case SftpType.EXTENDED:
        return describeExtended(fields);
      default: {
        const op = onePath[type];
        return { type, facts: op === undefined ? { op: `request ${type}` } : { op, ...pathFact('path', fields) } };
      }
    }
  }

  #onHandle(type: number, fields: FieldReader, op: string): Described & { handleName: string } {
    const handleName = fields.bytes().toString('latin1');
    const handle = this.handle(handleName);
    return { type, facts: { op, path: handle?.path ?? 'an unknown handle' }, handleName, ...(handle === undefined ? {} : { handle }) };
  }

  #reply(type: number, fields: FieldReader): Seen | undefined {
    if (type === SftpType.VERSION) return undefined;
    const id = fields.uint32();
    const asked = this.#pending.get(id);
    const pending = asked?.shift();
    if (pending === undefined) return undefined;
    if (asked?.length === 0) this.#pending.delete(id);
    this.#kept -= pending.kept;
    const { handle } = pending;
    if (type === SftpType.DATA && handle !== undefined && pending.offset !== undefined) {
      handle.read.add(pending.offset, fields.bytes(), handle.firstRead ?? pending.offset);
      return undefined;
    }
    const code = type === SftpType.STATUS ? fields.uint32() : 0;
    switch (pending.type) {
      case SftpType.READ:
        // The end of the file is how every reading ends.
        return code > 1 ? { event: { t: 'file', ...pending.facts, result: statusName(code) } } : undefined;
      case SftpType.WRITE:
        if (code !== 0 && handle !== undefined) handle.failedWrites += 1;
        return undefined;
      case SftpType.READDIR:
        if (type === SftpType.NAME && handle !== undefined) handle.entries += fields.uint32();
        return undefined;
      case SftpType.OPEN:
      case SftpType.OPENDIR:
        return this.#opened(pending, type, fields, code);
      case SftpType.CLOSE: {
        const gone = this.#closed(pending);
        if (gone === undefined) break;
        return closed(gone, statusName(code));
      }
      default:
    }
    return operation(
      pending,
      statusName(code),
      type === SftpType.ATTRS ? { attributes: readAttributes(fields) } : type === SftpType.NAME ? readName(fields) : {},
    );
  }

  /** The handle that is closed: also one whose name the client had before the reply that gave it. */
  #closed({ handle, handleName = '' }: Pending): OpenHandle | undefined {
    const requests = (this.#closing.get(handleName) ?? 0) - 1;
    if (requests > 0) this.#closing.set(handleName, requests);
    else this.#closing.delete(handleName);
    const named = this.#handles.get(handleName);
    // A target that answers in another order may have given the name again already: that one stays.
    if (named !== undefined && (handle === undefined || handle === named)) {
      this.#handles.delete(handleName);
      this.#kept -= named.kept;
    }
    return handle ?? named;
  }

  #opened(pending: Pending, type: number, fields: FieldReader, code: number): Seen {
    if (type === SftpType.HANDLE) {
      const { path, flags } = pending.facts as { path: string; flags?: string[] };
      const name = fields.bytes().toString('latin1');
      const kept = HANDLE_OVERHEAD + path.length + name.length;
      this.#keep(kept);
      this.#kept -= this.#handles.get(name)?.kept ?? 0;
      this.#handles.set(name, {
        path,
        directory: pending.type === SftpType.OPENDIR,
        flags: flags ?? [],
        read: new ContentDigest(this.#ahead),
        written: new ContentDigest(this.#ahead),
        kept,
        firstRead: undefined,
        failedWrites: 0,
        entries: 0,
      });
    }
    return operation(pending, statusName(code), {});
  }
}

const onePath: Record<number, string> = {
  [SftpType.LSTAT]: 'lstat',
  [SftpType.STAT]: 'stat',
  [SftpType.REMOVE]: 'remove',
  [SftpType.RMDIR]: 'rmdir',
  [SftpType.REALPATH]: 'realpath',
  [SftpType.READLINK]: 'readlink',
};

/** Requests that are told by the summary of their handle. */
const silent = new Set<number>([SftpType.READ, SftpType.WRITE, SftpType.READDIR, SftpType.CLOSE]);

/** Operations that change something are chapters of a recording; looking around is not. */
const chapters = new Set(['remove', 'rmdir', 'mkdir', 'rename', 'symlink', 'setstat', 'hardlink']);

function operation(pending: Pending, result: string, more: Record<string, unknown>): Seen {
  const op = String(pending.facts.op);
  const event = { t: 'file', op, ...pending.facts, result, ...more };
  return chapters.has(op) ? { event, marker: `${op} ${String(pending.facts.path)}` } : { event };
}

function closed(handle: OpenHandle, result: string): Seen {
  const { path, flags, failedWrites, entries, directory } = handle;
  if (directory) return { event: { t: 'file', op: 'close', path, entries, result } };
  const read = handle.read.summary();
  const written = handle.written.summary();
  const event = {
    t: 'file',
    op: 'close',
    path,
    flags,
    ...(read === undefined ? {} : { read }),
    ...(written === undefined ? {} : { written }),
    ...(failedWrites === 0 ? {} : { failedWrites }),
    result,
  };
  if (written !== undefined) return { event, marker: `put ${path}` };
  return read === undefined ? { event } : { event, marker: `get ${path}` };
}

function describeExtended(fields: FieldReader): Described {
  const type = SftpType.EXTENDED;
  const name = fields.text();
  switch (name) {
    case 'posix-rename@openssh.com':
      return { type, facts: { op: 'rename', ...pathFact('path', fields), ...pathFact('to', fields) } };
    case 'hardlink@openssh.com':
      return { type, facts: { op: 'hardlink', ...pathFact('path', fields), ...pathFact('to', fields) } };
    case 'lsetstat@openssh.com':
      return { type, facts: { op: 'setstat', ...pathFact('path', fields), attributes: readAttributes(fields) } };
    case 'statvfs@openssh.com':
    case 'expand-path@openssh.com':
      return { type, facts: { op: name.slice(0, name.indexOf('@')), ...pathFact('path', fields) } };
    default:
      return { type, facts: { op: 'extended', name: shortened(name) } };
  }
}

/** The one name of a reply to realpath and readlink. */
function readName(fields: FieldReader): Record<string, unknown> {
  const count = fields.uint32();
  return count === 1 ? pathFact('name', fields) : { entries: count };
}

/** A path as a fact of that name. No file system has longer ones than are kept whole. */
function pathFact(name: string, fields: FieldReader): Record<string, string> {
  const bytes = fields.bytes();
  return bytes.length <= MAX_PATH
    ? textFact(name, bytes)
    : { [name]: shortened(bytes.toString()), [`${name}Sha256`]: createHash('sha256').update(bytes).digest('hex') };
}

function shortened(text: string): string {
  return text.length <= MAX_PATH ? text : `${text.slice(0, MAX_PATH).toWellFormed()}…[${text.length} characters]`;
}

function textLength(facts: Readonly<Record<string, unknown>>): number {
  let length = 0;
  for (const fact of Object.values(facts)) if (typeof fact === 'string') length += fact.length;
  return length;
}
