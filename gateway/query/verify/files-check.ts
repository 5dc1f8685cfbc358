import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RecordBody } from '../../../contract/record.ts';
import { attachmentFileName, journalFile, recordingDirectory, segmentFileName } from '../../recording/journal-layout.ts';
import type { EvidenceReader } from '../../store/evidence-reader.ts';
import type { ErasedFile } from './erasures.ts';
import { type Finding, fault, type Place, type Report } from './finding.ts';
import { hashFile, NoRegularFile } from './hash-file.ts';
import type { SealedFile } from './sealed-files.ts';

const PLANTED = 'No record names this file: it was planted, or the record of its seal is gone';
const ERASED_FILES = 'There are recordings of this session on disk, though it is erased';
const UNKNOWN_FILES =
  'There are recordings of this session on disk, and no record says that it ever was: its records were deleted, or the files were planted';

const STREAMS = ['i', 'o', 'e'];
const AT_A_TIME = 4;
const SESSIONS_AT_A_TIME = 100;
/** Doubts that are looked into; an attack on more than this is an attack on everything. */
const MOST_DOUBTS = 10_000;

/** Something that looks wrong, unless the gateway did it while this was read. */
interface Doubt {
  finding: Finding;
  session: string;
}

/**
 * Compares the recordings on disk with what the records say of them. A gateway may be at work meanwhile, so whatever
 * looks wrong is looked at once more in the end, in the state of that moment.
 */
export class FilesCheck {
  readonly #directory: string;
  readonly #report: Report;
  #doubts: Doubt[] = [];
  #undoubted = 0;
  files = 0;
  bytes = 0;

  readonly #atATime: number;

  /** Reading shares its threads with whatever else the process does: a gateway has few of them to spare. */
  constructor(directory: string, report: Report, atATime = AT_A_TIME) {
    this.#atATime = atATime;
    this.#directory = directory;
    this.#report = report;
  }

  async sealed(files: readonly SealedFile[]): Promise<void> {
    await this.#each(files, (file) => this.#compare(file));
  }

  /** What an `erased` record says is gone. */
  async erased(files: readonly ErasedFile[]): Promise<void> {
    await this.#each(files, async ({ index, session, file }) => {
      if (!isRecordingPath(file)) return this.#report(fault('malformed', { index, file }, 'An erasure names a file that is no recording'));
      if ((await lstat(join(this.#directory, file)).catch(() => undefined)) === undefined) return;
      const where = { index, file, ...(session === undefined ? {} : { session }) };
      this.#report(fault('inconsistent', where, 'The file is said to be erased, and it is still there'));
    });
  }

  /**
   * Recordings of sessions that no record names, of those that are erased, and files that no record of a session seals.
   * `going`: sessions whose erasure is not completed.
   */
  async strangers(reader: EvidenceReader, going: ReadonlySet<string>): Promise<void> {
    for await (const sessions of this.#sessionsOnDisk()) {
      const standing = await reader.standing(sessions.map(({ session }) => session));
      await this.#each(sessions, async ({ session, path }) => {
        if (going.has(session)) return;
        const found = await filesBelow(this.#directory, path);
        const known = standing.get(session);
        if (known?.state === 'known') {
          for (const file of found)
            if (!known.files.has(file)) this.#doubt({ finding: fault('added', { session, file }, PLANTED), session });
        } else if (found.length > 0) {
          const erased = known?.state === 'erased';
          this.#doubt({
            finding: fault(erased ? 'inconsistent' : 'missing', { session, file: path }, erased ? ERASED_FILES : UNKNOWN_FILES),
            session,
          });
        }
      });
    }
  }

  /**
   * To be called before `resolve`, and before its reader is opened: a stretch leaves the journal when the record of its
   * segment is durable. So of a file whose stretch has left by now, the reader finds the record.
   */
  async setAsideWhatIsInTheMaking(): Promise<void> {
    const kept: Doubt[] = [];
    for (const doubt of this.#doubts) if (!(await this.#isInTheMaking(doubt))) kept.push(doubt);
    this.#doubts = kept;
  }

  /** `reader` sees the state of now. */
  async resolve(reader: EvidenceReader): Promise<void> {
    for (const doubt of this.#doubts) await this.#resolve(doubt, reader);
    if (this.#undoubted > 0) this.#report(fault('inconsistent', {}, `${this.#undoubted} more files do not fit the records`));
    this.#doubts = [];
  }

  async #compare(sealed: SealedFile): Promise<void> {
    const { index, session, channel, segment, file, bytes, sha256, seal } = sealed;
    const where = { index, session, channel, segment, file };
    if (!isOwnPath(sealed)) {
      this.#report(fault('malformed', where, 'The record names a file that is not where the recording of this segment belongs'));
      return;
    }
    this.files += 1;
    try {
      const found = await hashFile(join(this.#directory, file), seal?.text === undefined ? undefined : { atMost: seal.text.bytes });
      this.bytes += found.file.bytes;
      if (found.file.bytes !== bytes)
        this.#differs('altered', where, `The file has ${found.file.bytes} bytes, and was sealed with ${bytes}`);
      else if (found.file.sha256 !== sha256) this.#differs('altered', where, 'The file is not what was sealed: its SHA-256 is another');
      else if (seal?.text !== undefined && !isSameText(found.text, seal.text))
        this.#report(
          fault('inconsistent', where, 'The file is what was sealed, but the text in it is not what the same record says of it'),
        );
    } catch (thrown) {
      const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
      if (code === 'ENOENT' || code === 'ENOTDIR') this.#differs('missing', where, 'The file is missing');
      else if (thrown instanceof NoRegularFile || code === 'ELOOP')
        this.#report(fault('altered', where, 'In place of the file there is something else: a link, a directory or a device'));
      else
        this.#report(fault('unreadable', where, `The file cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`));
    }
  }

  #differs(code: 'altered' | 'missing', where: Place & { session: string }, words: string): void {
    this.#doubt({ finding: fault(code, where, words), session: where.session });
  }

  #doubt(doubt: Doubt): void {
    if (this.#doubts.length < MOST_DOUBTS) this.#doubts.push(doubt);
    else this.#undoubted += 1;
  }

  async #resolve({ finding, session }: Doubt, reader: EvidenceReader): Promise<void> {
    const { state, files } = (await reader.standing([session])).get(session) ?? {};
    const { segment, file = '' } = finding.where;
    if (finding.code === 'added') {
      if (state === 'known' && files?.has(file) !== true) this.#report(finding);
    } else if (segment === undefined) {
      // Known by now, or gone by now: the gateway has just begun it, or just erased it.
      const still = (finding.code === 'missing') === (state === 'unknown');
      if (still && (await filesBelow(this.#directory, file)).length > 0) this.#report(finding);
    } else if (state !== 'erased' && !(await isSealedAgain(reader, { ...finding.where, session }))) this.#report(finding);
  }

  /** It is gone by now, or its stretch is still in the journal: then it is not recorded yet. */
  async #isInTheMaking({ finding, session }: Doubt): Promise<boolean> {
    const { file } = finding.where;
    if (finding.code !== 'added' || file === undefined) return false;
    if ((await lstat(join(this.#directory, file)).catch(() => undefined)) === undefined) return true;
    const [, channel, stretch] = /\/(\d{1,9})\/(\d{4,9})\.[^/]+$/.exec(file) ?? [];
    if (channel === undefined || stretch === undefined) return false;
    const journal = journalFile(this.#directory, session, Number(channel), Number(stretch));
    return (await lstat(journal).catch(() => undefined)) !== undefined;
  }

  /** `recordings/YYYY/MM/<session>`, some at a time; whatever else is there is told. */
  async *#sessionsOnDisk(): AsyncGenerator<{ session: string; path: string }[]> {
    const top = 'recordings';
    for (const year of await namesIn(join(this.#directory, top))) {
      if (!/^\d{4}$/.test(year)) this.#strange(`${top}/${year}`);
      else
        for (const month of await namesIn(join(this.#directory, top, year))) {
          const path = `${top}/${year}/${month}`;
          if (!/^\d{2}$/.test(month)) this.#strange(path);
          else yield* this.#sessionsIn(path);
        }
    }
  }

  async *#sessionsIn(path: string): AsyncGenerator<{ session: string; path: string }[]> {
    let some: { session: string; path: string }[] = [];
    for (const name of await namesIn(join(this.#directory, path))) {
      const own = SESSION.test(name) && recordingDirectory(name, 0) === `${path}/${name}/0`;
      if (own) some.push({ session: name, path: `${path}/${name}` });
      else this.#strange(`${path}/${name}`);
      if (some.length < SESSIONS_AT_A_TIME) continue;
      yield some;
      some = [];
    }
    if (some.length > 0) yield some;
  }

  #strange(file: string): void {
    this.#report(fault('added', { file }, 'This is nothing that a gateway puts among the recordings'));
  }

  async #each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
    const queue = items.values();
    const some = async () => {
      for (const item of queue) await work(item);
    };
    await Promise.all(Array.from({ length: Math.min(this.#atATime, items.length) }, some));
  }
}

const SESSION = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The one place where a segment or its attachments may be. */
function isOwnPath({ session, channel, segment, file, seal }: SealedFile): boolean {
  const directory = recordingDirectory(session, channel);
  if (seal !== undefined) return file === `${directory}/${segmentFileName(segment)}`;
  return STREAMS.some((stream) => file === `${directory}/${attachmentFileName(segment, stream)}`);
}

function isRecordingPath(file: string): boolean {
  return /^(recordings\/\d{4}\/\d{2}|journal)\/[0-9a-f-]{36}\/(\d{1,9}\/)?[A-Za-z0-9][A-Za-z0-9._-]{0,120}$/.test(file);
}

function isSameText(
  found: { bytes: number; lines: number; sha256: string } | undefined,
  sealed: { bytes: number; lines: number; sha256: string },
): boolean {
  return found !== undefined && found.bytes === sealed.bytes && found.lines === sealed.lines && found.sha256 === sealed.sha256;
}

function bodyOf(bytes: Uint8Array): RecordBody<'segment.sealed'> | undefined {
  try {
    return (JSON.parse(Buffer.from(bytes).toString('utf8')) as { body: RecordBody<'segment.sealed'> }).body;
  } catch {
    return undefined; // It is no record, which is told where the records are checked.
  }
}

/** Nothing, where there is no such directory: a session may have no recordings. */
async function namesIn(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}

/** Paths of what stands in a session's directory, without what is in the making. All but directories of channels counts. */
async function filesBelow(dataDirectory: string, path: string): Promise<string[]> {
  const files: string[] = [];
  for (const channel of await readdir(join(dataDirectory, path), { withFileTypes: true }).catch(() => [])) {
    const below = `${path}/${channel.name}`;
    if (!channel.isDirectory()) files.push(below);
    else for (const name of await namesIn(join(dataDirectory, below))) if (!name.endsWith('.tmp')) files.push(`${below}/${name}`);
  }
  return files;
}

/** A gateway that finds the file of a seal gone seals the segment again: the last seal holds, and is checked by itself. */
async function isSealedAgain(
  reader: EvidenceReader,
  { session, channel, segment, index = 0 }: Place & { session: string },
): Promise<boolean> {
  const later = await reader.recordsOfType(session, 'segment.sealed', index + 1);
  return later.some(({ bytes }) => {
    const body = bodyOf(bytes);
    return body?.channel === channel && body?.segment === segment;
  });
}
