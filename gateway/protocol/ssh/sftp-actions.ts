import { createHash } from 'node:crypto';
import type { Action } from '../../../contract/policy.ts';
import { type FieldReader, textFact } from './connection-messages.ts';
import { openFlags, readAttributes, SftpType } from './sftp-packets.ts';

/** What a request of SFTP does to a file, as policy is asked about it. */
export interface FileAction {
  readonly action: Action & ('ssh:read-file' | 'ssh:write-file');
  readonly facts: Readonly<Record<string, unknown>>;
}

/** What is known of an open handle. */
export interface KnownHandle {
  readonly path: string;
  readonly flags: readonly string[];
}

const { OPEN, OPENDIR, REMOVE, RENAME, MKDIR, RMDIR, SETSTAT, FSETSTAT, SYMLINK, EXTENDED } = SftpType;

/** What is done with handles that were decided when they were opened, and what only looks at names. */
const undecided: ReadonlySet<number> = new Set([
  SftpType.INIT,
  SftpType.CLOSE,
  SftpType.READ,
  SftpType.WRITE,
  SftpType.LSTAT,
  SftpType.FSTAT,
  SftpType.READDIR,
  SftpType.REALPATH,
  SftpType.STAT,
  SftpType.READLINK,
]);

/** Extensions of OpenSSH (its PROTOCOL, section 4) that change nothing beyond handles that are open for writing. */
const harmlessExtensions: ReadonlySet<string> = new Set([
  'statvfs@openssh.com',
  'fstatvfs@openssh.com',
  'fsync@openssh.com',
  'limits@openssh.com',
  'expand-path@openssh.com',
  'copy-data',
  'home-directory',
  'users-groups-by-id@openssh.com',
]);

/** Whether a request has to be read whole before it is known what to do with it. */
export function isDecided(type: number): boolean {
  return !undecided.has(type);
}

/** What a request would do; undefined for one that needs no decision. `fields` begin behind the request's number. */
export function fileAction(type: number, fields: FieldReader, handle: (name: string) => KnownHandle | undefined): FileAction | undefined {
  const read = (operation: string, facts: object): FileAction => ({ action: 'ssh:read-file', facts: { operation, ...facts } });
  const write = (operation: string, facts: object): FileAction => ({ action: 'ssh:write-file', facts: { operation, ...facts } });
  switch (type) {
    case OPEN: {
      const path = textFact('path', fields.bytes());
      const flags = openFlags(fields.uint32());
      const facts = { ...path, flags, ...attributeFacts(fields) };
      return flags.every((flag) => flag === 'read') ? read('open', facts) : write('open', facts);
    }
    case OPENDIR:
      return read('list', textFact('path', fields.bytes()));
    case REMOVE:
      return write('remove', textFact('path', fields.bytes()));
    case MKDIR:
      return write('mkdir', { ...textFact('path', fields.bytes()), ...attributeFacts(fields) });
    case RMDIR:
      return write('rmdir', textFact('path', fields.bytes()));
    case SETSTAT:
      return write('setstat', { ...textFact('path', fields.bytes()), ...attributeFacts(fields) });
    case FSETSTAT: {
      const known = handle(fields.bytes().toString('latin1'));
      // Whoever may write the file may finish it; a file that was opened for reading is another matter.
      if (known?.flags.includes('write') === true) return undefined;
      return write('setstat', { path: known?.path ?? '', ...attributeFacts(fields) });
    }
    case RENAME:
      return write('rename', { ...textFact('path', fields.bytes()), ...textFact('to', fields.bytes()) });
    case SYMLINK:
      // OpenSSH has the two the other way round than the draft, and everybody follows OpenSSH (its PROTOCOL, 4.1).
      return write('symlink', { ...textFact('to', fields.bytes()), ...textFact('path', fields.bytes()) });
    case EXTENDED:
      return extension(fields, write);
    default:
      return write(`request ${type}`, { path: '' });
  }
}

function extension(fields: FieldReader, write: (operation: string, facts: object) => FileAction): FileAction | undefined {
  const name = fields.text();
  if (harmlessExtensions.has(name)) return undefined;
  switch (name) {
    case 'posix-rename@openssh.com':
      return write('rename', { ...textFact('path', fields.bytes()), ...textFact('to', fields.bytes()) });
    case 'hardlink@openssh.com':
      return write('link', { ...textFact('to', fields.bytes()), ...textFact('path', fields.bytes()) });
    case 'lsetstat@openssh.com':
      return write('setstat', { ...textFact('path', fields.bytes()), ...attributeFacts(fields) });
    default:
      return write('extended', { path: '', name: name.slice(0, 256) });
  }
}

/**
 * What a request says of a file's attributes, as a reviewer reads it: an approval is good for exactly these. Nothing of
 * what it leaves out.
 */
function attributeFacts(fields: FieldReader): Readonly<Record<string, unknown>> {
  const { mode, accessed, modified, ...numbers } = readAttributes(fields);
  const more = fields.rest();
  return {
    ...numbers,
    ...(mode === undefined ? {} : { mode: mode.toString(8).padStart(4, '0') }),
    ...(accessed === undefined ? {} : { accessed: timeOf(accessed) }),
    ...(modified === undefined ? {} : { modified: timeOf(modified) }),
    // Attributes of vendors stand behind those of the draft. What they are is not known here, but they are others than none.
    ...(more.length === 0 ? {} : { moreAttributesSha256: createHash('sha256').update(more).digest('hex') }),
  };
}

/** Seconds since 1970, which is all that this version of SFTP has. */
function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}
