import type { AuditRecord, RecordType } from '../../contract/record.ts';
import { type Clock, systemClock } from '../../gateway/base/clock.ts';
import type { SallyportError } from '../../gateway/base/errors.ts';
import { uuidV7 } from '../../gateway/base/ids.ts';
import type { Log } from '../../gateway/base/log.ts';
import type { SignedCheckpoint } from '../../gateway/ledger/ledger.ts';
import { Records, type SealedRecord, type StoredRecord } from '../../gateway/ledger/records.ts';
import { type ChannelDescription, Recorder, type RecordingOptions } from '../../gateway/recording/recorder.ts';
import type { OpenSession, RecordedSegment, RecoveryIndex } from '../../gateway/recording/recovery-index.ts';
import type { StretchHeader } from '../../gateway/recording/stretch-header.ts';

/** Keeps records in memory, as a store that is always durable. */
export class MemoryLedger implements RecoveryIndex {
  readonly stored: StoredRecord[] = [];
  /** As a disk that takes nothing. */
  refusing = false;
  readonly records = new Records({ append: (records) => this.#append(records) }, systemClock, 'test');

  /** What keeps new sessions out, as of a ledger that cannot be signed. */
  trouble: SallyportError | undefined;

  /** Signs nothing: the real ledger is in test/ledger/. */
  async signed(): Promise<SignedCheckpoint> {
    const origin = 'test';
    return { origin, size: this.stored.length, root: new Uint8Array(32), extensions: [], note: origin };
  }

  async #append(records: readonly SealedRecord[]): Promise<number> {
    if (this.refusing) throw new Error('the test refuses records');
    const first = this.stored.length;
    for (const [offset, sealed] of records.entries()) this.stored.push({ ...sealed, index: first + offset });
    return first;
  }

  of<T extends RecordType>(type: T): AuditRecord<T>[] {
    return this.stored.flatMap(({ record }) => (record.type === type ? [record as AuditRecord<T>] : []));
  }

  async openSessions(): Promise<OpenSession[]> {
    const ended = new Set([...this.of('session.close'), ...this.of('session.recovered')].map(({ session }) => session));
    return this.of('session.open')
      .filter(({ session }) => !ended.has(session))
      .map(({ session, actor, target }) => {
        const closed = new Set(
          this.of('channel.close')
            .filter((record) => record.session === session)
            .map(({ body }) => body.channel),
        );
        const opened = this.of('channel.open')
          .filter((record) => record.session === session)
          .map(({ body }) => body.channel);
        return { session: session as string, actor, target, openChannels: opened.filter((channel) => !closed.has(channel)) };
      });
  }

  async sealedSegments(session: string): Promise<RecordedSegment[]> {
    return this.of('segment.sealed')
      .filter((record) => record.session === session)
      .map(({ body: { channel, segment, file, bytes, to, streams } }) => ({
        channel,
        segment,
        file,
        bytes,
        to,
        ends: { i: streams.i.offset + streams.i.bytes, o: streams.o.offset + streams.o.bytes, e: streams.e.offset + streams.e.bytes },
      }));
  }
}

/** A log that a test can look into. */
export class KeptLog implements Log {
  readonly lines: { level: string; facts: object; message: string }[] = [];
  debug = (facts: object, message: string) => void this.lines.push({ level: 'debug', facts, message });
  info = (facts: object, message: string) => void this.lines.push({ level: 'info', facts, message });
  warn = (facts: object, message: string) => void this.lines.push({ level: 'warn', facts, message });
  error = (facts: object, message: string) => void this.lines.push({ level: 'error', facts, message });
}

export const newSession = () => uuidV7(systemClock.wallMicros());

export function describeChannel(change: Partial<ChannelDescription> = {}): ChannelDescription {
  return {
    session: newSession(),
    channel: 0,
    protocol: 'ssh',
    kind: 'session',
    actor: { principal: 'deploy-bot', kind: 'agent', onBehalfOf: 'engineer@example.com', source: '192.0.2.7:50022' },
    target: { name: 'web-1', kind: 'ssh', address: '192.0.2.10:22' },
    openedAt: systemClock.wallMicros(),
    ...change,
  };
}

export function openRecorder(
  directory: string,
  parts: { ledger?: MemoryLedger; log?: Log; clock?: Clock } = {},
  change: Partial<RecordingOptions> = {},
): Promise<Recorder> {
  const options: RecordingOptions = {
    directory,
    segmentBytes: 4 * 1024 * 1024,
    segmentSeconds: 60,
    reserveBytes: 1024 * 1024,
    backlogBytes: 256 * 1024 * 1024,
    durability: 'relaxed',
    content: 'digest',
    input: true,
    ...change,
  };
  return Recorder.open(options, {
    records: (parts.ledger ?? new MemoryLedger()).records,
    clock: parts.clock ?? systemClock,
    log: parts.log ?? new KeptLog(),
  });
}

export function stretchHeader(change: Partial<StretchHeader> = {}): StretchHeader {
  return {
    v: 1,
    session: '019a1b2c-3d4e-7f00-8000-000000000001',
    channel: 0,
    stretch: 1,
    start: 0,
    openedAt: 1_772_357_400_123_456,
    wall: 1_772_357_400_123_456,
    protocol: 'ssh',
    kind: 'session',
    actor: { principal: 'deploy-bot', kind: 'agent', onBehalfOf: 'engineer@example.com', source: '192.0.2.7:50022' },
    target: { name: 'web-1', kind: 'ssh', address: '192.0.2.10:22' },
    offsets: { i: 0, o: 0, e: 0 },
    crossed: { i: 0, o: 0, e: 0 },
    binary: 'detect',
    content: 'digest',
    input: 'recorded',
    ...change,
  };
}
