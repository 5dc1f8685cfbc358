import { posix } from 'node:path';

/** What is done to which file. A path is compared as text: what links on the target make of it can't be seen from here. */
export interface UnderstoodFile {
  readonly operation: string;
  /** Without `.`, `..` and doubled slashes. */
  readonly path: string;
  /** Where something is renamed or linked to. */
  readonly to?: string;
  readonly flags: readonly string[];
  /** Whether the file may be another one than `path` and `to` say. */
  readonly opaque: boolean;
  readonly because?: string;
}

/** A path of more bytes is refused by every file system. */
const MAX_PATH = 4096;
const MAX_FLAGS = 32;

/** Undefined when the facts are not those of a file. */
export function readFileFacts(facts: Readonly<Record<string, unknown>>): UnderstoodFile | undefined {
  const { operation, path, to, flags = [] } = facts;
  if (typeof operation !== 'string' || typeof path !== 'string') return undefined;
  if (to !== undefined && typeof to !== 'string') return undefined;
  if (!Array.isArray(flags) || flags.length > MAX_FLAGS || !flags.every((flag) => typeof flag === 'string')) return undefined;
  const incomplete = ['pathBytes', 'pathSha256', 'toBytes', 'toSha256'].some((member) => member in facts);
  const because = incomplete ? 'the path is not text, or too long' : (doubtAbout(path) ?? (to === undefined ? undefined : doubtAbout(to)));
  return {
    operation,
    path: normalized(path),
    ...(to === undefined ? {} : { to: normalized(to) }),
    flags,
    opaque: because !== undefined,
    ...(because === undefined ? {} : { because }),
  };
}

function doubtAbout(path: string): string | undefined {
  if (path.length > MAX_PATH) return 'the path is too long';
  if (!path.startsWith('/')) return 'the path begins where the server is, which is not known';
  // Behind a symbolic link `..` is somewhere else than it looks (POSIX.1-2024, section 4.16).
  if (path.split('/').includes('..')) return 'the path goes back with ..';
  return /[\p{Cc}\p{Cf}\p{Cs}\ufffd]/u.test(path) ? 'the path has characters that are not seen' : undefined;
}

function normalized(path: string): string {
  const plain = posix.normalize(path.slice(0, MAX_PATH)).replace(/^\/\/+/, '/');
  return plain.length > 1 && plain.endsWith('/') ? plain.slice(0, -1) : plain;
}
