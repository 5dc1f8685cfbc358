import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../gateway/base/clock.ts';
import { uuidV7 } from '../../gateway/base/ids.ts';
import { createLog } from '../../gateway/base/log.ts';
import { ChannelIndexer } from '../../gateway/indexing/channel-indexer.ts';
import { Records } from '../../gateway/ledger/records.ts';
import { Recorder } from '../../gateway/recording/recorder.ts';
import { Database } from '../../gateway/store/database.ts';
import { actor, target } from '../../test/store/support.ts';
import type { Belongings } from '../../test/support/temp.ts';
import { TERMINAL } from './captured-work.ts';
import { terminalStory } from './terminal-story.ts';

const MEBIBYTE = 1024 * 1024;
/** The sealer is let catch up from here on, as a relay would be slowed down. */
const BACKLOG = 64 * MEBIBYTE;
const AT_ONCE = 64;

/** A recording of so many bytes of output as a gateway leaves it: recorded, sealed and indexed by the real ones. */
export interface LargeRecording {
  readonly database: Database;
  readonly session: string;
  readonly bytes: number;
  readonly segments: number;
}

/** `within`: a data directory, where the recording is one of a session as a gateway lists it. Else one of its own. */
export async function makeRecording(belongings: Belongings, bytes: number, within?: string): Promise<LargeRecording> {
  const directory = within ?? belongings.directory('large');
  const database = await Database.openForGateway(directory);
  if (within === undefined) belongings.add(() => database.close());
  const records = new Records(database.records, systemClock, 'bench');
  const log = createLog('fatal');
  const recorder = await Recorder.open(
    {
      ...{ directory, segmentBytes: 4 * MEBIBYTE, segmentSeconds: 3600, reserveBytes: MEBIBYTE, backlogBytes: 4 * BACKLOG },
      ...{ durability: 'relaxed', content: 'digest', input: true },
    },
    { records, clock: systemClock, log },
  );
  const session = uuidV7(systemClock.wallMicros());
  const common = { outcome: 'success', actor, target, session } as const;
  if (within !== undefined) {
    const decision = { verdict: 'allow' as const, policies: ['bench'], policySet: '0'.repeat(64) };
    await records.append({ ...common, type: 'session.open', body: { protocol: 'ssh', requested: target.name, client: 'bench', decision } });
    await records.append({ ...common, type: 'channel.open', body: { channel: 0, kind: 'shell', detail: {} } });
  }
  const channel = recorder.openChannel({
    ...{ session, channel: 0, protocol: 'ssh', kind: 'shell', actor, target },
    openedAt: systemClock.wallMicros(),
  });
  channel.setTerminal({ cols: TERMINAL.cols, rows: TERMINAL.rows, type: TERMINAL.name });
  let written = 0;
  let frames: Parameters<typeof channel.append>[0][number][] = [];
  for (const [at, text] of terminalStory()) {
    const piece = Buffer.from(text);
    frames.push({ kind: 'data', at: 1e9 + at * 1e6, stream: 'o', bytes: piece });
    written += piece.length;
    if (frames.length < AT_ONCE && written < bytes) continue;
    channel.append(frames);
    frames = [];
    if (written >= bytes) break;
    while (recorder.backlog > BACKLOG) await delay(20);
  }
  const { segments } = await channel.finish();
  if (within !== undefined) {
    const bytes = { i: 0, o: written, e: 0 };
    await records.append({
      ...common,
      type: 'channel.close',
      body: { channel: 0, reason: 'closed', exit: { status: 0 }, bytes, segments },
    });
    const body = { reason: 'the client disconnected', duration: 1, channels: 1, bytes };
    await records.append({ ...common, type: 'session.close', body });
  }
  await recorder.close();
  await index(database, session);
  if (within !== undefined) await database.close();
  return { database, session, bytes: written, segments };
}

async function index(database: Database, session: string): Promise<void> {
  const indexer = new ChannelIndexer({
    say: () => undefined,
    alive: () => undefined,
    earlier: () => Promise.resolve([]),
    stored: () => Promise.resolve(),
  });
  const segments = await database.segments.ofChannel(session, 0);
  await indexer.index(1, { dataDirectory: database.directory, session, channel: 0, segments, stored: [], last: true });
}
