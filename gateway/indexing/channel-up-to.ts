import { finderStateSchema } from '../../contract/replay/command-finder.ts';
import type { Keyframe } from '../../contract/replay/driver.ts';
import type { Part } from '../../contract/replay/part.ts';
import type { SegmentRow } from '../../contract/session.ts';
import { readSegmentFile } from '../recording/segment-on-disk.ts';
import { IndexedChannel } from './indexed-channel.ts';
import { micros } from './part-maker.ts';
import { segmentPieces } from './segment-pieces.ts';
import { hasFailed, readKeyframe, readPart } from './sidecar-file.ts';

interface Wanted {
  readonly dataDirectory: string;
  readonly session: string;
  readonly channel: number;
  /** All up to `through`, in order. */
  readonly segments: readonly SegmentRow[];
  readonly through: number;
  readonly alive: () => void;
}

interface Start {
  readonly part: Part;
  readonly piece: number;
  readonly keyframe: Keyframe;
}

/**
 * A channel as its first segments left it: from the newest keyframe, and what has come after that. A segment that
 * cannot be read, or is known to be the end of whoever shows it, is missing there, and then the screen is not whole.
 */
export async function channelUpTo(wanted: Wanted): Promise<IndexedChannel> {
  const { dataDirectory, session, channel: number, segments, through } = wanted;
  const channel = new IndexedChannel();
  const { start, newest } = await findStart(wanted);
  if (start !== undefined) {
    channel.terminal = start.part.terminal;
    channel.restore(start.keyframe);
  }
  const first = start?.part.segment ?? 1;
  for (let segment = first; segment <= through; segment += 1) {
    channel.segmentsSinceKeyframe += 1;
    const row = segments.find((each) => each.segment === segment);
    const skipped = row === undefined || (await hasFailed(dataDirectory, session, number, segment, row.sha256));
    const read = skipped ? undefined : await readSegmentFile(dataDirectory, row);
    if (row === undefined || read === undefined || read.fault !== undefined) {
      miss(channel, row);
      continue;
    }
    replay(channel, row, read.bytes, { skip: segment === first ? (start?.piece ?? 0) : 0, alive: wanted.alive });
  }
  channel.through = through;
  // What these say of the end of the last segment holds, from wherever the screen was made anew.
  if (newest?.segment === through) {
    channel.finder = finderStateSchema.safeParse(newest.finder).data;
    channel.input ||= newest.input;
  }
  return channel;
}

function replay(
  channel: IndexedChannel,
  row: SegmentRow,
  bytes: Buffer,
  { skip, alive }: { readonly skip: number; readonly alive: () => void },
): void {
  let index = 0;
  for (const { place, parsed } of segmentPieces(bytes, micros(row.from))) {
    if (row.segment === 1 && index === 0) channel.begin(parsed.header);
    index += 1;
    if (index <= skip) continue;
    for (const event of parsed.events) {
      channel.show(event);
      alive();
    }
    channel.textSinceKeyframe += place.bytes;
  }
}

/** A sequence that had begun is over, as it is where damage is shown. */
function miss(channel: IndexedChannel, row: SegmentRow | undefined): void {
  const [at, until] = row === undefined ? [0, 0] : [micros(row.from), micros(row.to)];
  channel.show({ kind: 'damage', at, until, words: '' });
  channel.screen.emulation.whole = false;
}

/** The newest keyframe that can be read, and the newest part. */
async function findStart({
  dataDirectory,
  session,
  channel,
  segments,
}: Wanted): Promise<{ start: Start | undefined; newest: Part | undefined }> {
  let newest: Part | undefined;
  for (const row of segments.toReversed()) {
    const part = await readPart(dataDirectory, session, channel, row.segment, row.sha256);
    if (part === undefined) continue;
    newest ??= part;
    for (const found of part.keyframes.toReversed()) {
      const keyframe = await readKeyframe(dataDirectory, session, channel, row.segment, found);
      if (keyframe !== undefined) return { start: { part, piece: found.piece, keyframe }, newest };
    }
  }
  return { start: undefined, newest };
}
