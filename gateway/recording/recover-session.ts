import { stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { RecordBody } from '../../contract/record.ts';
import type { PerStream } from './cast-renderer.ts';
import { errnoCode } from './errno-code.ts';
import { JOURNAL_DIRECTORY, SET_ASIDE_SUFFIX } from './journal-layout.ts';
import { type JournalEnd, readJournal, readStretchHeader } from './journal-reader.ts';
import type { LeftStretches, RecoveryParts, RecoveryReport } from './recovery.ts';
import type { OpenSession, RecordedSegment } from './recovery-index.ts';
import type { Sealed, SealRequest } from './sealer.ts';
import { dropStretch, removeEmptyDirectories, segmentSealed, setAside } from './segment-records.ts';
import { parseStretchHeader, type StretchHeader } from './stretch-header.ts';

type RecoveredChannel = RecordBody<'session.recovered'>['channels'][number];

/** What is known of a channel once its stretches are sealed. */
interface ChannelState {
  channel: number;
  summary: RecoveredChannel;
  bytes: PerStream;
  exit: number | undefined;
  segments: number;
  /** What is to happen to its stretches when everything is recorded. */
  done: { path: string; keep: boolean }[];
}

/** Seals what is left of one session, closes it in the records if nobody did, then lets go of its journal. */
export async function recoverSession(
  parts: RecoveryParts,
  session: string,
  left: LeftStretches,
  open: OpenSession | undefined,
  report: RecoveryReport,
): Promise<void> {
  const { records } = parts;
  const recorded = await parts.index.sealedSegments(session);
  const numbers = [...new Set([...left.keys(), ...(open?.openChannels ?? [])])].sort((one, other) => one - other);
  const channels = await Promise.all(
    numbers.map((channel) => recoverChannel(parts, session, channel, left.get(channel) ?? [], recorded, report)),
  );

  if (open !== undefined) {
    const target = open.target;
    const closing = channels.filter(({ channel }) => open.openChannels.includes(channel));
    await Promise.all(
      closing.map(({ channel, bytes, exit, segments }) =>
        records.append({
          type: 'channel.close',
          outcome: 'failure',
          actor: records.gateway,
          target,
          session,
          body: { channel, reason: 'recovered', bytes, segments, ...(exit === undefined ? {} : { exit: { status: exit } }) },
        }),
      ),
    );
    const summaries = channels.map(({ summary }) => summary);
    await records.append({
      type: 'session.recovered',
      outcome: 'failure',
      actor: records.gateway,
      target,
      session,
      body: { channels: summaries },
    });
  }

  for (const { done, summary } of channels) {
    for (const { path, keep } of done) {
      if (keep) await setAside(path);
      else await dropStretch(path);
    }
    report.channels++;
    report.tornBytes += summary.tornBytes;
  }
  await removeEmptyDirectories(join(parts.dataDirectory, JOURNAL_DIRECTORY, session), numbers.map(String));
  report.sessions++;
}

async function recoverChannel(
  parts: RecoveryParts,
  session: string,
  channel: number,
  stretches: readonly { stretch: number; path: string; bytes: number }[],
  recorded: readonly RecordedSegment[],
  report: RecoveryReport,
): Promise<ChannelState> {
  const earlier = recorded.filter((segment) => segment.channel === channel).sort((one, other) => one.segment - other.segment);
  const newest = earlier.at(-1);
  const state: ChannelState = {
    channel,
    summary: { channel, lastFrameAt: newest?.to ?? 0, frames: 0, tornBytes: 0 },
    bytes: { i: newest?.ends.i ?? 0, o: newest?.ends.o ?? 0, e: newest?.ends.e ?? 0 },
    exit: undefined,
    segments: earlier.length,
    done: [],
  };
  for (const [index, { stretch, path, bytes }] of stretches.entries()) {
    const already = earlier.find((segment) => segment.segment === stretch);
    if (already !== undefined && (await isThere(parts.dataDirectory, already))) {
      const seen = await survey(path);
      note(state, seen.journal, seen.bytes, seen.exit);
      state.done.push({ path, keep: seen.journal.state === 'damaged' });
      continue;
    }
    const next = stretches[index + 1];
    const endAt = next === undefined ? undefined : (await readStretchHeader(next.path))?.start;
    const sealed = await sealPatiently(parts, {
      journal: path,
      session,
      channel,
      stretch,
      bytes,
      last: next === undefined,
      ...(endAt === undefined ? {} : { endAt }),
    });
    if (sealed.state === 'sealed') {
      const { header, cast, journal } = sealed.segment;
      await parts.records.append(segmentSealed(sealed.segment, parts.records));
      note(state, journal, crossedAfter(header, cast.streams), cast.exit);
      state.segments++;
      report.segments++;
      state.done.push({ path, keep: journal.state === 'damaged' });
    } else if (sealed.state === 'empty') {
      note(state, sealed.journal, state.bytes, undefined);
      // Without a whole header nothing was ever acknowledged; but what is no torn header either is kept.
      state.done.push({ path, keep: sealed.journal.state === 'damaged' });
    } else {
      parts.log.error(
        { session, channel, segment: stretch, file: path },
        `a stretch of the journal cannot be sealed and is set aside: ${sealed.message}`,
      );
      state.done.push({ path, keep: true });
    }
    if (state.done.at(-1)?.keep === true) {
      const kept = relative(parts.dataDirectory, `${path}${SET_ASIDE_SUFFIX}`);
      state.summary.setAside = kept;
      report.setAside.push(kept);
    }
  }
  return state;
}

/** Waits for a seal, but not for ever: a gateway that cannot seal what is left must not open. */
function sealPatiently(parts: RecoveryParts, request: SealRequest): Promise<Sealed> {
  return new Promise((resolve, reject) => {
    void parts.sealer.seal(request, reject).then(resolve);
  });
}

function note(state: ChannelState, journal: JournalEnd, bytes: PerStream, exit: number | undefined): void {
  const { summary } = state;
  summary.frames += journal.frames;
  summary.tornBytes += journal.tornBytes;
  summary.lastFrameAt = Math.max(summary.lastFrameAt, journal.lastFrameAt);
  state.bytes = bytes;
  state.exit = exit ?? state.exit;
}

/** What had crossed by the end of a stretch, as far as it was recorded. */
function crossedAfter({ crossed }: StretchHeader, streams: Record<keyof PerStream, { bytes: number }>): PerStream {
  return { i: crossed.i + streams.i.bytes, o: crossed.o + streams.o.bytes, e: crossed.e + streams.e.bytes };
}

/** What sealing would say of a stretch whose segment is recorded already. */
async function survey(path: string): Promise<{ journal: JournalEnd; bytes: PerStream; exit: number | undefined }> {
  const bytes: PerStream = { i: 0, o: 0, e: 0 };
  let exit: number | undefined;
  const frames = readJournal(path);
  for (let step = await frames.next(); ; step = await frames.next()) {
    if (step.done === true) return { journal: step.value, bytes, exit };
    const frame = step.value;
    if (frame.kind === 'data') bytes[frame.stream] += frame.bytes.length;
    else if (frame.kind === 'exit') exit = frame.status;
    else if (frame.kind === 'header') Object.assign(bytes, parseStretchHeader(frame.header)?.crossed);
  }
}

async function isThere(dataDirectory: string, segment: RecordedSegment): Promise<boolean> {
  try {
    return (await stat(join(dataDirectory, segment.file))).size === segment.bytes;
  } catch (thrown) {
    if (errnoCode(thrown) === 'ENOENT') return false;
    throw thrown;
  }
}
