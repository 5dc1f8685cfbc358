import type { RecordedEvent, StreamName } from '../../../contract/frame-codec.ts';
import { type FieldReader, MalformedMessage } from './connection-messages.ts';
import { ContentDigest } from './content-digest.ts';
import type { ChannelObserver } from './relayed-channel.ts';
import { openFlags, readAttributes, SftpPackets, SftpType, statusName, UndecodableSftp } from './sftp-packets.ts';

/** Requests without a reply yet. OpenSSH keeps 64 under way; a peer with thousands is not worth memory. */
const MAX_PENDING = 8192;
const MAX_HANDLES = 4096;

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
}

interface Pending {
  type: number;
  /** What the event will say, but for the result. */
  facts: Record<string, unknown>;
  handle?: OpenHandle;
  handleName?: string;
  offset?: number;
}

/**
 * SFTP decoded on its way through: requests and replies matched, handles resolved to paths, the digest of every file's
 * content kept. Nothing is changed. What can't be decoded is said once, and the bytes are recorded all the same.
 */
export class SftpObserver implements ChannelObserver {
  readonly #requests = new SftpPackets();
  readonly #replies = new SftpPackets();
  readonly #pending = new Map<number, Pending>();
  readonly #handles = new Map<string, OpenHandle>();
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
      seen.push({ event: { t: 'file', op: 'undecodable', by: stream === 'i' ? 'client' : 'target', why: error.message } });
    }
    return seen;
  }

  finish(): Seen[] {
    const seen: Seen[] = [];
    for (const handle of this.#handles.values()) {
      if (!handle.directory) seen.push(closed(handle, 'channel closed'));
    }
    this.#handles.clear();
    return seen;
  }

  #request(type: number, fields: FieldReader): Seen | undefined {
    if (type === SftpType.INIT) return undefined;
    const id = fields.uint32();
    if (this.#pending.size >= MAX_PENDING) throw new UndecodableSftp(`${MAX_PENDING} requests without a reply`);
    const pending = this.#describe(type, fields);
    if (pending !== undefined) this.#pending.set(id, pending);
    return undefined;
  }

  #describe(type: number, fields: FieldReader): Pending | undefined {
    switch (type) {
      case SftpType.OPEN: {
        const path = fields.text();
        const flags = openFlags(fields.uint32());
        return { type, facts: { op: 'open', path, flags, attributes: readAttributes(fields) } };
      }
      case SftpType.OPENDIR:
        return { type, facts: { op: 'opendir', path: fields.text() } };
      case SftpType.CLOSE:
        return this.#onHandle(type, fields, 'close');
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
        return { type, facts: { op: type === SftpType.MKDIR ? 'mkdir' : 'setstat', path: fields.text(), attributes: readAttributes(fields) } };
      case SftpType.RENAME:
        return { type, facts: { op: 'rename', path: fields.text(), to: fields.text() } };
      case SftpType.SYMLINK:
        // OpenSSH has the two the other way round than the draft, and everybody follows OpenSSH (its PROTOCOL, 4.1).
        return { type, facts: { op: 'symlink', to: fields.text(), path: fields.text() } };
      case SftpType.EXTENDED:
        return describeExtended(fields);
      default: {
        const op = onePath[type];
        return { type, facts: op === undefined ? { op: `request ${type}` } : { op, path: fields.text() } };
      }
    }
  }

  #onHandle(type: number, fields: FieldReader, op: string): Pending {
    const handleName = fields.bytes().toString('latin1');
    const handle = this.#handles.get(handleName);
    return { type, facts: { op, path: handle?.path ?? 'an unknown handle' }, handleName, ...(handle === undefined ? {} : { handle }) };
  }

  #reply(type: number, fields: FieldReader): Seen | undefined {
    if (type === SftpType.VERSION) return undefined;
    const id = fields.uint32();
    const pending = this.#pending.get(id);
    if (pending === undefined) return undefined;
    this.#pending.delete(id);
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
      case SftpType.CLOSE:
        if (handle === undefined || pending.handleName === undefined) break;
        this.#handles.delete(pending.handleName);
        return closed(handle, statusName(code));
      default:
    }
    return operation(pending, code, type === SftpType.ATTRS ? { attributes: readAttributes(fields) } : type === SftpType.NAME ? readName(fields) : {});
  }

  #opened(pending: Pending, type: number, fields: FieldReader, code: number): Seen {
    if (type === SftpType.HANDLE) {
      if (this.#handles.size >= MAX_HANDLES) throw new UndecodableSftp(`${MAX_HANDLES} open handles`);
      const { path, flags } = pending.facts as { path: string; flags?: string[] };
      this.#handles.set(fields.bytes().toString('latin1'), {
        path,
        directory: pending.type === SftpType.OPENDIR,
        flags: flags ?? [],
        read: new ContentDigest(),
        written: new ContentDigest(),
        firstRead: undefined,
        failedWrites: 0,
        entries: 0,
      });
    }
    return operation(pending, code, {});
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

/** Operations that change something are chapters of a recording; looking around is not. */
const chapters = new Set(['remove', 'rmdir', 'mkdir', 'rename', 'symlink', 'setstat', 'hardlink']);

function operation(pending: Pending, code: number, result: Record<string, unknown>): Seen {
  const op = String(pending.facts.op);
  const event = { t: 'file', op, ...pending.facts, result: statusName(code), ...result };
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

function describeExtended(fields: FieldReader): Pending {
  const type = SftpType.EXTENDED;
  const name = fields.text();
  switch (name) {
    case 'posix-rename@openssh.com':
      return { type, facts: { op: 'rename', path: fields.text(), to: fields.text() } };
    case 'hardlink@openssh.com':
      return { type, facts: { op: 'hardlink', path: fields.text(), to: fields.text() } };
    case 'lsetstat@openssh.com':
      return { type, facts: { op: 'setstat', path: fields.text(), attributes: readAttributes(fields) } };
    case 'statvfs@openssh.com':
    case 'expand-path@openssh.com':
      return { type, facts: { op: name.slice(0, name.indexOf('@')), path: fields.text() } };
    default:
      return { type, facts: { op: 'extended', name } };
  }
}

/** The one name of a reply to realpath and readlink. */
function readName(fields: FieldReader): Record<string, unknown> {
  const count = fields.uint32();
  return count === 1 ? { name: fields.text() } : { entries: count };
}
