import { onTestFinished } from 'vitest';
import type { Frame, StreamName } from '../../contract/frame-codec.ts';
import type { Actor } from '../../contract/record.ts';
import { systemClock } from '../../gateway/base/clock.ts';
import { createLog } from '../../gateway/base/log.ts';
import { Records } from '../../gateway/ledger/records.ts';
import { type ControlSocket, openControlSocket } from '../../gateway/operator-api/control-socket.ts';
import type { Performers } from '../../gateway/operator-api/operations.ts';
import { recordLocalSearch } from '../../gateway/operator-api/record-search.ts';
import { recordView } from '../../gateway/operator-api/view-operations.ts';
import { type ChannelRecording, Recorder } from '../../gateway/recording/recorder.ts';
import { Database } from '../../gateway/store/database.ts';
import { version } from '../../gateway/version.ts';
import { actor, draft, newSession, target, temporaryDirectory } from '../store/support.ts';

/** A data directory that is written by the real recorder and store, as a gateway would. */
export class RecordedData {
  readonly directory: string;
  readonly database: Database;
  readonly records: Records;
  readonly recorder: Recorder;
  readonly #control: ControlSocket;
  #closed = false;

  private constructor(directory: string, database: Database, records: Records, recorder: Recorder, control: ControlSocket) {
    this.directory = directory;
    this.database = database;
    this.records = records;
    this.recorder = recorder;
    this.#control = control;
  }

  static async open(change: { segmentBytes?: number; directory?: string } = {}): Promise<RecordedData> {
    const directory = change.directory ?? (await temporaryDirectory());
    const database = await Database.openForGateway(directory);
    const records = new Records(database.records, systemClock, 'gateway-1');
    const recorder = await Recorder.open(
      {
        directory,
        segmentBytes: change.segmentBytes ?? 4 * 1024 * 1024,
        segmentSeconds: 60,
        reserveBytes: 1024 * 1024,
        backlogBytes: 256 * 1024 * 1024,
        durability: 'relaxed',
        content: 'digest',
        input: true,
      },
      { records, clock: systemClock, log: createLog('fatal') },
    );
    const log = createLog('fatal');
    // Of what a gateway does for others, this one only records that its sessions are looked at and searched.
    const performers: Partial<Performers> = {
      'view.recorded': (input, asking) => recordView(input, asking, { database, records }),
      'search.recorded': (input, { actor: asker }) => recordLocalSearch(input, asker, { records, gatewayName: 'gateway-1' }),
    };
    const control = await openControlSocket(directory, { performers, version, log });
    const data = new RecordedData(directory, database, records, recorder, control);
    onTestFinished(() => data.close());
    return data;
  }

  async openSession(change: Partial<Actor> = {}): Promise<RecordedSession> {
    const session = new RecordedSession(this, newSession());
    await this.records.append(draft.sessionOpen(session.id, { actor: change }));
    return session;
  }

  /** A session with one exec channel, from beginning to end. */
  async exec(command: string, output: string, options: { status?: number; actor?: Partial<Actor> } = {}): Promise<string> {
    const session = await this.openSession(options.actor);
    const channel = await session.openChannel('exec', { command });
    channel.event(0, { t: 'ssh.request', request: 'exec', command }, `$ ${command}`);
    channel.data(0.01, 'o', output);
    channel.exit(0.02, options.status ?? 0);
    await channel.close({ status: options.status ?? 0 });
    await session.close();
    return session.id;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#control.close();
    await this.recorder.close();
    await this.database.close();
  }
}

export class RecordedSession {
  readonly id: string;
  readonly #data: RecordedData;
  #opened = 0;

  constructor(data: RecordedData, id: string) {
    this.#data = data;
    this.id = id;
  }

  async openChannel(kind: string, detail: Record<string, unknown> = {}): Promise<RecordedChannel> {
    const channel = this.#opened++;
    const recording = this.#data.recorder.openChannel({
      session: this.id,
      channel,
      protocol: 'ssh',
      kind: 'session',
      actor,
      target,
      openedAt: systemClock.wallMicros(),
    });
    await this.#data.records.append(draft.channelOpen(this.id, channel, kind, detail));
    return new RecordedChannel(this.#data, recording);
  }

  async close(): Promise<void> {
    await this.#data.records.append(draft.sessionClose(this.id));
  }
}

/** Times are seconds since the channel opened: a test says when something happened instead of waiting for it. */
export class RecordedChannel {
  readonly recording: ChannelRecording;
  readonly #data: RecordedData;

  constructor(data: RecordedData, recording: ChannelRecording) {
    this.#data = data;
    this.recording = recording;
  }

  data(at: number, stream: StreamName, bytes: string | Uint8Array): void {
    this.#append({ kind: 'data', at: nanos(at), stream, bytes: typeof bytes === 'string' ? Buffer.from(bytes) : bytes });
  }

  event(at: number, event: { t: string; [member: string]: unknown }, marker?: string): void {
    this.#append({ kind: 'event', at: nanos(at), event, ...(marker === undefined ? {} : { marker }) });
  }

  resize(at: number, cols: number, rows: number): void {
    this.#append({ kind: 'resize', at: nanos(at), cols, rows });
  }

  exit(at: number, status: number): void {
    this.#append({ kind: 'exit', at: nanos(at), status });
  }

  terminal(cols: number, rows: number): void {
    this.recording.setTerminal({ cols, rows, type: 'xterm-256color' });
  }

  async close(exit: { status?: number; signal?: string } = { status: 0 }): Promise<void> {
    await this.recording.finish();
    const { session, channel } = this.recording.description;
    await this.#data.records.append(draft.channelClose(session, channel, exit));
  }

  #append(frame: Frame): void {
    this.recording.append([frame]);
  }
}

function nanos(seconds: number): number {
  return Math.round(seconds * 1e9);
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
