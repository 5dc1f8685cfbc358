import { finderStateSchema } from '../../contract/replay/command-finder.ts';
import type { Keyframe } from '../../contract/replay/driver.ts';
import type { Part } from '../../contract/replay/part.ts';
import { micros } from '../../contract/replay/segment-source.ts';
import type { SegmentRow } from '../../contract/session.ts';
import { type FoundSegment, findSegment } from './found-segment.ts';
import { IndexedChannel } from './indexed-channel.ts';
import { acrossAfter } from './part-maker.ts';
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
 * A channel as its first segments left it: from the newest keyframe, and what has come after that. Of what is damaged
 * that is what can be read, as whoever plays it sees it; a segment that is known to be the end of whoever shows it is
 * missing, and then the screen is not whole.
 */
export async function channelUpTo(wanted: Wanted): Promise<IndexedChannel> {
  const { dataDirectory, session, channel: number, segments, through } = wanted;
  const channel = new IndexedChannel();
  const { start, newest } = await findStart(wanted);
  if (start !== undefined) {
    channel.terminal = start.part.terminal;
    channel.across = start.part.across;
    channel.restore(start.keyframe);
  }
  const first = start?.part.segment ?? 1;
  for (let segment = first; segment <= through; segment += 1) {
    channel.segmentsSinceKeyframe += 1;
    const row = segments.find((each) => each.segment === segment);
    if (row === undefined || (await hasFailed(dataDirectory, session, number, segment, row.sha256))) {
      miss(channel, row);
      continue;
    }
    const found = await findSegment(dataDirectory, row);
    replay(channel, row, found, { skip: segment === first ? (start?.piece ?? 0) : 0, alive: wanted.alive });
    channel.across = acrossAfter({ segment, damaged: found.damaged, across: channel.across });
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
  { pieces, damaged }: FoundSegment,
  { skip, alive }: { readonly skip: number; readonly alive: () => void },
): void {
  let index = 0;
  for (const { place, parsed } of pieces) {
    if (row.segment === 1 && index === 0) channel.begin(parsed.header);
    index += 1;
    if (index <= skip) continue;
    for (const event of parsed.events) {
      channel.show(event);
      alive();
    }
    channel.textSinceKeyframe += place.bytes;
  }
  if (damaged !== undefined) channel.wantKeyframe();
}

/** A sequence that had begun is over, as it is where damage is shown. What is there, and is played, leaves a screen that is not known here. */
function miss(channel: IndexedChannel, row: SegmentRow | undefined): void {
  const [at, until] = row === undefined ? [0, 0] : [micros(row.from), micros(row.to)];
  channel.show({ kind: 'damage', at, until, words: '' });
  if (row !== undefined) channel.screen.emulation.whole = false;
  channel.wantKeyframe();
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
