import type { RecordedSegment, RecordingOutline } from '../../../contract/operator-api.ts';
import { parseSegment } from '../../../contract/replay/parse-segment.ts';
import type { Part } from '../../../contract/replay/part.ts';
import type { SegmentRow } from '../../../contract/session.ts';
import { asSallyportError } from '../../base/errors.ts';
import { type CastSource, castSources } from '../../query/cast-source.ts';
import { beginningOf, writeCastPosition } from '../../query/live-cast/cast-position.ts';
import { stretchStart } from '../../query/read-stretch.ts';
import { findRecording } from './find-recording.ts';
import type { RecordingParts } from './recording-parts.ts';

/** Segments in one answer, and what their parts hold together: an answer is made in one go, which others wait for. */
const MOST_SEGMENTS = 64;
const MOST_ENTRIES = 20_000;
/** Characters that take as long as an entry does. */
const ENTRY_LENGTH = 50;
const READ_TOGETHER = 8;

/** What there is of a recording, from the segment behind `after` on. */
export async function readOutline(parts: RecordingParts, session: string, channel: number, after: number): Promise<RecordingOutline> {
  const database = await parts.reading();
  const { kind, opened } = await findRecording(database, session, channel);
  // Asked before the files are: what is sealed in between is found sealed, or running, or both.
  const running = parts.running(session, channel);
  const sources = await castSources(database, session, channel);
  const told = await tell(parts.sidecars, sources.slice(after));
  const known = [...told].reverse().find(({ part }) => part !== undefined)?.part;
  const last = sources.findLast(({ sealed }) => sealed !== undefined);
  const reached = after + told.length;
  const complete = told.every(({ sealed, part }) => sealed === undefined || part !== undefined);
  if (!complete) parts.sidecars.want(session, channel);
  const header = after === 0 ? await headerOf(parts, told[0]) : undefined;
  return {
    session,
    channel,
    kind,
    opened,
    duration: micros(Math.max(last?.sealed?.to ?? 0, running?.now ?? 0)),
    terminal: known?.terminal ?? running?.terminal ?? header?.pty === true,
    input: known?.input ?? false,
    ...(header === undefined ? {} : { header }),
    segments: await Promise.all(told.map((each, index) => segmentOf(each, told[index - 1] ?? sources[after - 1]))),
    ...(reached < sources.length ? { after: reached } : {}),
    live: running === undefined ? null : liveAt(sources),
    complete,
  };
}

interface Told extends CastSource {
  readonly part: Part | undefined;
}

async function tell(sidecars: RecordingParts['sidecars'], sources: readonly CastSource[]): Promise<Told[]> {
  const told: Told[] = [];
  let entries = 0;
  for (let at = 0; at < Math.min(sources.length, MOST_SEGMENTS); at += READ_TOGETHER) {
    const together = sources.slice(at, at + READ_TOGETHER);
    const parts = await Promise.all(together.map(async ({ sealed }) => (sealed === undefined ? undefined : sidecars.part(sealed))));
    for (const [index, source] of together.entries()) {
      const part = parts[index];
      entries += part === undefined ? 0 : entriesOf(part);
      if (entries > MOST_ENTRIES && told.length > 0) return told;
      told.push({ ...source, part });
    }
  }
  return told;
}

function entriesOf({ pieces, keyframes, thumbnails, heat, marks, commands, busy }: Part): number {
  const entries = [pieces, keyframes, thumbnails, heat, marks, commands, busy?.idle ?? []].reduce((sum, { length }) => sum + length, 0);
  const texts = [...marks.map(({ title }) => title), ...commands.map(({ text }) => text)];
  return entries + texts.reduce((sum, { length }) => sum + length, 0) / ENTRY_LENGTH;
}

async function segmentOf({ number, sealed, journal, part }: Told, before: CastSource | undefined): Promise<RecordedSegment> {
  if (sealed !== undefined) {
    const { from, to, bytes, sha256 } = sealed;
    return { segment: number, state: 'sealed', from, to, bytes, sha256, ...(part === undefined ? {} : { part: withoutState(part) }) };
  }
  const ended = before?.sealed?.to ?? 0;
  if (journal === undefined) return { segment: number, state: 'missing', from: ended, to: ended };
  // What is sealed and dropped meanwhile begins where the one before it ended, as everything does.
  const begun = before?.sealed === undefined ? ((await stretchStart(journal)) ?? ended) : ended;
  return { segment: number, state: 'journal', from: begun, to: begun };
}

/** Without what only the indexer goes on from, which may be most of it. */
function withoutState(part: Part): Record<string, unknown> {
  const { finder: _, ...others } = part;
  return others;
}

/** Where what is not sealed yet begins. */
function liveAt(sources: readonly CastSource[]): RecordingOutline['live'] {
  const first = sources.find(({ sealed }) => sealed === undefined)?.number ?? sources.length + 1;
  return { position: writeCastPosition(beginningOf(first)) };
}

async function headerOf({ texts }: RecordingParts, first: Told | undefined): Promise<RecordingOutline['header']> {
  if (first?.part?.header !== undefined) return { ...first.part.header };
  if (first?.sealed === undefined || first.number !== 1) return undefined;
  const line = await firstLine(texts, first.sealed);
  const header = line === undefined ? undefined : parseSegment(line, 0).header;
  if (header === undefined) return undefined;
  return Object.fromEntries(Object.entries(header).filter(([, value]) => value !== undefined));
}

/** Undefined where the segment is damaged, which whoever reads it is told. */
async function firstLine(texts: RecordingParts['texts'], segment: SegmentRow): Promise<string | undefined> {
  try {
    const text = await texts.open(segment);
    for await (const piece of text.read(0, text.bytes)) return piece.toString('utf8').split('\n', 1)[0];
    return undefined;
  } catch (thrown) {
    if (asSallyportError(thrown).code === 'RECORDING_DAMAGED') return undefined;
    throw thrown;
  }
}

/** Casts count in steps of 10 µs. */
function micros(nanos: number): number {
  return Math.floor(nanos / 10_000) * 10;
}
