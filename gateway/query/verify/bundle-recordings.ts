import { createHash } from 'node:crypto';
import type { BundleFiles } from './bundle-files.ts';
import { fault, type Report } from './finding.ts';
import { type TextDigest, TextHash } from './hash-file.ts';
import type { SealedFile } from './sealed-files.ts';

const PARTS = 'data/recordings/parts.txt';
const FOLDER = 'data/recordings/';
const PART = /^([0-9a-f-]{36}) (\d{1,9}) (\d{1,9}) (\d{1,9}) (sealed|undigested|missing)$/;

interface Part {
  session: string;
  channel: number;
  segment: number;
  lines: number;
  kind: 'sealed' | 'undigested' | 'missing';
}

/** Text of a segment that is longer than this was sealed by nobody. */
const MOST_TEXT = 2 ** 40;

/** Compares the casts of a bundle, part by part, and the files beside them with the seals that its records hold. */
export class BundleRecordings {
  readonly #files: BundleFiles;
  readonly #report: Report;
  /** `session/channel/segment` to its seal; taken out when its part has come by. */
  readonly #seals = new Map<string, SealedFile>();
  readonly #attachments = new Map<string, SealedFile>();
  readonly #known = new Set<string>([PARTS]);
  files = 0;
  bytes = 0;

  constructor(files: BundleFiles, report: Report) {
    this.#files = files;
    this.#report = report;
  }

  expect(sealed: readonly SealedFile[]): void {
    for (const file of sealed) {
      // A segment that was sealed twice counts as it was sealed last.
      if (file.seal === undefined) this.#attachments.set(besideName(file), file);
      else this.#seals.set(keyOf(file), file);
    }
  }

  async check(): Promise<void> {
    let channel: { part: Part; lines: AsyncGenerator<Buffer>; name: string } | undefined;
    for await (const line of this.#files.lines(PARTS)) {
      const part = partOf(line);
      if (part === undefined) {
        this.#files.malformed(PARTS, 'A line of it is not a session, a channel, a segment, a number of lines and a kind');
        break;
      }
      if (channel === undefined || channel.part.session !== part.session || channel.part.channel !== part.channel) {
        await this.#end(channel);
        const name = `${FOLDER}${part.session}-${part.channel}.cast`;
        if (this.#known.has(name)) {
          this.#files.malformed(PARTS, `It comes back to channel ${part.channel} of session ${part.session}`);
          channel = undefined;
          break;
        }
        this.#known.add(name);
        channel = { part, lines: this.#files.lines(name), name };
      }
      await this.#checkPart(part, channel.lines, channel.name);
    }
    await this.#end(channel);
    await this.#checkAttachments();
    for (const { index, session, channel: number, segment } of this.#seals.values())
      this.#report(
        fault(
          'missing',
          { index, session, channel: number, segment },
          'The segment is sealed by a record, and the bundle does not have it',
        ),
      );
    for (const name of this.#files.names(FOLDER))
      if (!this.#known.has(name)) this.#report(fault('added', { file: name }, 'No record of the bundle seals this file'));
  }

  async #checkPart(part: Part, lines: AsyncGenerator<Buffer>, name: string): Promise<void> {
    const text = await digestOf(lines, part.lines);
    const sealed = this.#seals.get(keyOf(part));
    this.#seals.delete(keyOf(part));
    const where = { session: part.session, channel: part.channel, segment: part.segment, file: name };
    if (text.lines < part.lines) {
      this.#report(fault('altered', where, `The recording ends ${part.lines - text.lines} lines before the end of this segment`));
      return;
    }
    if (part.kind === 'missing') {
      const words = 'The segment was damaged or missing when the bundle was written, and is not in it';
      this.#report(fault('missing', sealed === undefined ? where : { index: sealed.index, ...where }, words));
      return;
    }
    if (sealed === undefined) {
      this.#report(fault('added', where, 'No record of the bundle seals this segment'));
      return;
    }
    this.files += 1;
    this.bytes += text.bytes;
    const expected = sealed.seal?.text ?? (await this.#original(sealed));
    if (expected === undefined) return;
    if (expected.sha256 === text.sha256 && expected.bytes === text.bytes && expected.lines === text.lines) return;
    this.#report(fault('altered', { index: sealed.index, ...where }, 'The text of this segment is not what was sealed'));
  }

  /** Of a seal that knows no digest of its text there is the segment itself: it has the sealed digest, and its text is the cast's. */
  async #original(sealed: SealedFile): Promise<TextDigest | undefined> {
    const name = besideName(sealed);
    const { index, session, channel, segment } = sealed;
    const where = { index, session, channel, segment, file: name };
    this.#known.add(name);
    if (!this.#files.has(name)) {
      this.#report(
        fault('missing', where, 'The seal of this segment has no digest of its text, and the segment itself is not in the bundle'),
      );
      return undefined;
    }
    const digest = createHash('sha256');
    const text = new TextHash(MOST_TEXT);
    for await (const chunk of this.#files.open(name)) {
      digest.update(chunk);
      await text.push(chunk);
    }
    if (digest.digest('hex') !== sealed.sha256)
      this.#report(fault('altered', where, 'The file is not what was sealed: its SHA-256 is another'));
    return text.end();
  }

  async #end(channel: { lines: AsyncGenerator<Buffer>; name: string } | undefined): Promise<void> {
    if (channel === undefined) return;
    if ((await channel.lines.next()).done !== true)
      this.#report(fault('added', { file: channel.name }, 'The recording has lines after its last segment, which nothing seals'));
    await channel.lines.return(undefined);
  }

  async #checkAttachments(): Promise<void> {
    for (const [name, { index, session, channel, segment, bytes, sha256 }] of this.#attachments) {
      const where = { index, session, channel, segment, file: name };
      this.#known.add(name);
      if (!this.#files.has(name)) {
        this.#report(fault('missing', where, 'Content that was kept whole is sealed by a record, and the bundle does not have it'));
        continue;
      }
      const found = await this.#files.hash(name);
      if (found === undefined) continue;
      this.files += 1;
      this.bytes += found.bytes;
      if (found.sha256 !== sha256 || found.bytes !== bytes)
        this.#report(fault('altered', where, 'The file is not what was sealed: its SHA-256 is another'));
    }
  }
}

/** Of so many lines, or of those that are left. */
async function digestOf(lines: AsyncGenerator<Buffer>, count: number): Promise<TextDigest> {
  const hash = createHash('sha256');
  const digest = { bytes: 0, lines: 0 };
  while (digest.lines < count) {
    const line = await lines.next();
    if (line.done === true) break;
    hash.update(line.value).update('\n');
    digest.bytes += line.value.length + 1;
    digest.lines += 1;
  }
  return { ...digest, sha256: hash.digest('hex') };
}

function partOf(line: Buffer): Part | undefined {
  const [, session = '', channel, segment, lines, kind] = PART.exec(line.toString('latin1')) ?? [];
  if (kind !== 'sealed' && kind !== 'undigested' && kind !== 'missing') return undefined;
  return { session, channel: Number(channel), segment: Number(segment), lines: Number(lines), kind };
}

function keyOf({ session, channel, segment }: { session: string; channel: number; segment: number }): string {
  return `${session}/${channel}/${segment}`;
}

/** The name in the bundle of a file beside the cast: an attachment, or the segment itself. */
function besideName({ session, channel, file }: SealedFile): string {
  return `${FOLDER}${session}-${channel}.${file.split('/').at(-1) ?? ''}`;
}
