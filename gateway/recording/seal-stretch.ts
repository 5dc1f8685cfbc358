import { closeSync, fdatasync, mkdirSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { StreamName } from '../../contract/frame-codec.ts';
import { CastRenderer, type CastSummary, type PerStream } from './cast-renderer.ts';
import { syncDirectory } from './durable-directory.ts';
import { errnoCode } from './errno-code.ts';
import { attachmentFileName, recordingDirectory, segmentFileName } from './journal-layout.ts';
import { type JournalEnd, scanJournal } from './journal-reader.ts';
import { type FinishedFile, SegmentFile } from './segment-file.ts';
import { parseStretchHeader, type StretchHeader } from './stretch-header.ts';

/** One stretch to be made into one segment. Plain data: it crosses to the worker thread. */
export interface SealJob {
  id: number;
  dataDirectory: string;
  journal: string;
  /** Whose stretch this is, by its place in the journal; the stretch's own header has to agree. */
  session: string;
  channel: number;
  stretch: number;
  /** Compression level of zstd. */
  level: number;
  /** Where the next stretch begins, when there is one (recovery). */
  endAt?: number;
  /** No stretch of this channel follows. */
  last: boolean;
}

export interface WrittenFile {
  /** Path below the data directory. */
  file: string;
  bytes: number;
  sha256: string;
}

export interface SealedSegment extends WrittenFile {
  header: StretchHeader;
  cast: CastSummary;
  text: FinishedFile['text'];
  attachments: WrittenFile[];
  journal: JournalEnd;
}

export type SealOutcome =
  | { id: number; state: 'sealed'; segment: SealedSegment }
  /** There is no whole header, so nothing that was acknowledged either. */
  | { id: number; state: 'empty'; journal: JournalEnd }
  /** The stretch itself is at fault: sealing it again would fail again. */
  | { id: number; state: 'poison'; message: string }
  /** Reading or writing failed; it may succeed later. */
  | { id: number; state: 'failed'; message: string; code: string };

/** A stretch that cannot be sealed for what is in it. */
class PoisonStretch extends Error {}

/**
 * Reads a stretch, renders it, writes the segment and makes it durable under its final name. Done again, it does the
 * same again: a crash at any point leaves the stretch, and at most files that the next attempt replaces. `whenRendered`
 * is called before the first wait for the disk.
 */
export async function sealStretch(job: SealJob, rawSpent?: PerStream, whenRendered?: (rawSpent: PerStream) => void): Promise<SealOutcome> {
  try {
    const rendered = renderStretch(job, rawSpent);
    if ('tornBytes' in rendered) return { id: job.id, state: 'empty', journal: rendered };
    whenRendered?.(rendered.segment.cast.rawSpent);
    await makeDurable(rendered.files, rendered.firstNewDirectory);
    return { id: job.id, state: 'sealed', segment: rendered.segment };
  } catch (thrown) {
    const code = errnoCode(thrown);
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return code === undefined ? { id: job.id, state: 'poison', message } : { id: job.id, state: 'failed', message, code };
  }
}

interface OpenFile {
  file: number;
  temporaryPath: string;
  path: string;
}

interface Rendered {
  segment: SealedSegment;
  files: OpenFile[];
  firstNewDirectory: string | undefined;
}

function renderStretch(job: SealJob, rawSpent: PerStream | undefined): Rendered | JournalEnd {
  const directory = recordingDirectory(job.session, job.channel);
  const started: SegmentFile[] = [];
  let firstNewDirectory: string | undefined;
  const start = (name: string): SegmentFile => {
    if (started.length === 0) firstNewDirectory = mkdirSync(join(job.dataDirectory, directory), { recursive: true, mode: 0o700 });
    const file = new SegmentFile(join(job.dataDirectory, directory, name), job.level);
    started.push(file);
    return file;
  };

  try {
    let header: StretchHeader | undefined;
    let renderer: CastRenderer | undefined;
    let castFile: SegmentFile | undefined;
    const attachments = new Map<StreamName, SegmentFile>();
    const journal = scanJournal(job.journal, (frame) => {
      if (renderer !== undefined) {
        renderer.push(frame);
        return;
      }
      header = headerOf(frame.kind === 'header' ? frame.header : undefined, job);
      const cast = start(segmentFileName(job.stretch));
      castFile = cast;
      const whole = header.content === 'whole';
      renderer = new CastRenderer(header, (line) => cast.writeLine(line), {
        ...(rawSpent === undefined ? {} : { rawSpent }),
        ...(whole ? { attachment: (stream) => attachmentFileName(job.stretch, stream) } : {}),
        bulkBytes: (stream, bytes) => {
          if (!whole) return;
          const known = attachments.get(stream) ?? start(attachmentFileName(job.stretch, stream));
          attachments.set(stream, known);
          known.writeBytes(bytes);
        },
      });
    });
    if (header === undefined || renderer === undefined || castFile === undefined) return journal;
    const cast = renderer.end({ lostBytes: journal.tornBytes, ...(job.endAt === undefined ? {} : { endAt: job.endAt }) });

    const written = new Map(started.map((file) => [file, file.finish()]));
    const finished = (file: SegmentFile) => written.get(file) as FinishedFile;
    const relative = (file: SegmentFile): WrittenFile => {
      const { bytes, sha256 } = finished(file);
      return { file: `${directory}/${file.path.slice(file.path.lastIndexOf('/') + 1)}`, bytes, sha256 };
    };
    return {
      segment: {
        ...relative(castFile),
        header,
        cast,
        text: finished(castFile).text,
        attachments: [...attachments.values()].map(relative),
        journal,
      },
      // The cast last: where it stands under its final name, so do its attachments.
      files: [...attachments.values(), castFile].map((file) => ({
        file: finished(file).file,
        temporaryPath: file.temporaryPath,
        path: file.path,
      })),
      firstNewDirectory,
    };
  } catch (thrown) {
    for (const file of started) file.abandon();
    throw thrown;
  }
}

function headerOf(value: unknown, job: SealJob): StretchHeader {
  const header = parseStretchHeader(value);
  if (header === undefined) throw new PoisonStretch('it does not begin with a header of this version');
  if (header.session !== job.session || header.channel !== job.channel || header.stretch !== job.stretch) {
    throw new PoisonStretch(`its header says session ${header.session}, channel ${header.channel}, stretch ${header.stretch}`);
  }
  return header;
}

const syncData = promisify(fdatasync);

async function makeDurable(files: readonly OpenFile[], firstNewDirectory: string | undefined): Promise<void> {
  for (const { file } of files) {
    try {
      await syncData(file);
    } finally {
      closeSync(file);
    }
  }
  for (const { temporaryPath, path } of files) await rename(temporaryPath, path);
  const last = files.at(-1);
  if (last === undefined) return;
  // The names are durable when their directories are, and those of directories that were just made as well.
  const top = firstNewDirectory === undefined ? dirname(last.path) : dirname(firstNewDirectory);
  const directories: string[] = [];
  for (let directory = dirname(last.path); ; directory = dirname(directory)) {
    directories.push(directory);
    if (directory === top || directory === dirname(directory)) break;
  }
  await Promise.all(directories.map(syncDirectory));
}
