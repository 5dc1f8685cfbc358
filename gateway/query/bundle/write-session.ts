import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { BundlePageChannel } from '../../../contract/bundle-page.ts';
import type { SessionRow } from '../../../contract/session.ts';
import { castV3 } from '../cast-v3.ts';
import type { CastPart } from '../read-cast.ts';
import { transcriptOf } from '../transcript.ts';
import type { BagWriter } from './bag-writer.ts';
import { existingFile } from './existing-file.ts';
import { textScript } from './page-scripts.ts';
import { inspectChannel, type SealedPart, type SegmentSource, sealedCast, sealLines } from './sealed-parts.ts';
import type { ChannelFacts, SessionFacts } from './session-seals.ts';

export interface WrittenSession {
  recordings: BundlePageChannel[];
  /** Lines of recordings/parts.txt: session, channel, segment, lines that the cast has in its place, what they are. */
  parts: string[];
  /** What could not be had, in words. */
  damage: string[];
}

/** A session's casts, what stands beside them, its transcript, and the scripts of the page. */
export async function writeSession(
  bag: BagWriter,
  source: SegmentSource,
  session: SessionRow,
  facts: SessionFacts,
): Promise<WrittenSession> {
  const written: WrittenSession = { recordings: [], parts: [], damage: [] };
  const channels: { channel: ChannelFacts; parts: SealedPart[] }[] = [];
  for (const channel of facts.channels) {
    const parts = await inspectChannel(source, channel);
    channels.push({ channel, parts });
    for (const { damage } of parts) if (damage !== undefined) written.damage.push(damage);
    if (parts.length > 0) written.parts.push(...(await writeCast(bag, source, session.id, channel, parts)));
    for (const part of parts) await writeBeside(bag, source, session.id, channel.row.channel, part, written);
    written.recordings.push(await writePageCasts(bag, source, session.id, channel, parts));
  }
  const atMost = channels.reduce((sum, { parts }) => sum + textBytes(parts), 0);
  const rows = facts.channels.map(({ row }) => row);
  const partsOf = (channel: number): AsyncIterable<CastPart> =>
    sealedCast(source, session.id, channels.find(({ channel: { row } }) => row.channel === channel)?.parts ?? []);
  const most = 2 * atMost + TRANSCRIPT_ALLOWANCE;
  await bag.add(`transcripts/${session.id}.txt`, cutOff(transcriptOf(session, rows, partsOf), most), { atMost: most + CUT_OFF.length });
  return written;
}

/** What a transcript may be larger than twice the casts that it is made of: whoever enters ten thousand commands of one character makes it so. */
const TRANSCRIPT_ALLOWANCE = 1024 * 1024;
const CUT_OFF = '\n[the transcript ends here, it is too long for a bundle: sallyport transcript has all of it]\n';

async function* cutOff(text: AsyncIterable<string>, most: number): AsyncGenerator<string> {
  let bytes = 0;
  for await (const piece of text) {
    bytes += Buffer.byteLength(piece);
    if (bytes > most) {
      yield CUT_OFF;
      return;
    }
    yield piece;
  }
}

async function writeCast(
  bag: BagWriter,
  source: SegmentSource,
  session: string,
  channel: ChannelFacts,
  parts: readonly SealedPart[],
): Promise<string[]> {
  const number = channel.row.channel;
  const lines = new Map(parts.map(({ segment }) => [segment, 0]));
  const counted = async function* () {
    let segment = 0;
    // A part gives its lines one by one; castV3 may put a header in front, which belongs to the part that it stands before.
    const castParts = async function* (): AsyncGenerator<CastPart> {
      for await (const part of sealedCast(source, session, parts)) {
        segment = part.segment;
        yield part;
      }
    };
    for await (const line of castV3(castParts(), () => undefined)) {
      lines.set(segment, (lines.get(segment) ?? 0) + 1);
      yield line;
    }
  };
  await bag.add(`recordings/${session}-${number}.cast`, counted(), { atMost: textBytes(parts) });
  return parts.map(({ segment, seal, damage }) => {
    const kind = damage !== undefined ? 'missing' : seal?.text === undefined ? 'undigested' : 'sealed';
    return `${session} ${number} ${segment} ${lines.get(segment) ?? 0} ${kind}\n`;
  });
}

/** Attachments as they are on the disk, and the segment's own file where its seal knows no digest of the text. */
async function writeBeside(
  bag: BagWriter,
  source: SegmentSource,
  session: string,
  channel: number,
  part: SealedPart,
  written: WrittenSession,
): Promise<void> {
  const { seal } = part;
  if (seal === undefined) return;
  const files = seal.attachments.map(({ file, bytes, sha256 }) => ({ file, bytes, sha256 }));
  if (seal.text === undefined && part.damage === undefined) files.push({ file: seal.file, bytes: seal.bytes, sha256: seal.sha256 });
  for (const { file, bytes, sha256 } of files) {
    const suffix = file.split('/').at(-1) ?? '';
    const fault = /^\d{4,8}\.([ioe]\.bin|cast)\.zst$/.test(suffix)
      ? await existingFile(source.directory, file, { bytes, sha256 })
      : 'its name is not that of a file of a recording';
    if (fault !== undefined) {
      written.damage.push(`${file} is damaged: ${fault}`);
      continue;
    }
    await bag.add(`recordings/${session}-${channel}.${suffix}`, createReadStream(join(source.directory, file)), { packing: 'stored' });
  }
}

async function writePageCasts(
  bag: BagWriter,
  source: SegmentSource,
  session: string,
  { row }: ChannelFacts,
  parts: readonly SealedPart[],
): Promise<BundlePageChannel> {
  const { command } = row.detail;
  const channel: BundlePageChannel = {
    channel: row.channel,
    kind: row.kind,
    command: typeof command === 'string' ? command : null,
    segments: [],
  };
  for (const { segment, seal, damage } of parts) {
    const name = `casts/${session}/${row.channel}/${String(segment).padStart(4, '0')}`;
    const common = { segment, from: seal?.from ?? 0, to: seal?.to ?? 0, text: seal?.text ?? null };
    if (seal === undefined || damage !== undefined) {
      channel.segments.push({ ...common, script: null, damage: damage ?? 'It is missing' });
      continue;
    }
    await bag.add(`page/${name}.js`, textScript(name, sealLines(source, session, seal)), { packing: 'base64' });
    channel.segments.push({ ...common, script: name, damage: null });
  }
  return channel;
}

function textBytes(parts: readonly SealedPart[]): number {
  return parts.reduce((sum, { text }) => sum + text.bytes, 0);
}
