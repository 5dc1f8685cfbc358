import type { Frame, StreamName } from '../../contract/frame-codec.ts';
import type { Actor, RecordDraft, Resource } from '../../contract/record.ts';
import { systemClock } from '../../gateway/base/clock.ts';
import { uuidV7 } from '../../gateway/base/ids.ts';
import { type Evidence, openEvidence } from '../../gateway/evidence.ts';
import { Recorder } from '../../gateway/recording/recorder.ts';
import { type Indexing, openIndexing } from '../../gateway/serve/indexing.ts';
import { KeptLog } from '../recording/support.ts';
import type { Belongings } from '../support/temp.ts';

const actor: Actor = { principal: 'deploy-bot', kind: 'agent', onBehalfOf: 'engineer@example.com', source: '192.0.2.7:50022' };
const target: Resource = { name: 'web-1', kind: 'ssh', address: '192.0.2.10:22' };

/** Output at a time in milliseconds, or another size of the terminal. */
export type Happening =
  | readonly [at: number, text: string | Uint8Array, stream?: StreamName]
  | { readonly at: number; readonly cols: number; readonly rows: number };

export interface Recorded {
  readonly happenings: readonly Happening[];
  readonly terminal?: { readonly cols: number; readonly rows: number };
}

/** A data directory as a gateway writes it: real records, recorder and sealer, without anybody who connects. */
export class RecordedData {
  readonly directory: string;
  readonly log = new KeptLog();
  readonly evidence: Evidence;
  readonly recorder: Recorder;
  indexing: Indexing;

  private constructor(directory: string, evidence: Evidence, recorder: Recorder) {
    this.directory = directory;
    this.evidence = evidence;
    this.recorder = recorder;
    this.indexing = this.#open();
  }

  static async open(belongings: Belongings, segmentBytes = 65_536): Promise<RecordedData> {
    const directory = belongings.directory('recorded');
    const log = new KeptLog();
    const evidence = await openEvidence({ gateway: { listen: {}, data: directory, name: 'gateway-1' }, ledger: {} }, directory, {
      clock: systemClock,
      log,
    });
    const recorder = await Recorder.open(
      {
        ...{ directory, segmentBytes, segmentSeconds: 60, reserveBytes: 8192, backlogBytes: 256 * 1024 * 1024 },
        ...{ durability: 'relaxed', content: 'digest', input: true },
      },
      { records: evidence.records, clock: systemClock, log },
    );
    const data = new RecordedData(directory, evidence, recorder);
    belongings.add(() => data.close());
    return data;
  }

  /** A session with one channel, from beginning to end. Its segments are told to the indexer, as they would be. */
  async session({ happenings, terminal }: Recorded): Promise<string> {
    const id = uuidV7(systemClock.wallMicros());
    const append = (draft: Omit<RecordDraft, 'actor' | 'target' | 'session' | 'outcome'>) =>
      this.evidence.records.append({ ...draft, outcome: 'success', actor, target, session: id } as RecordDraft);
    const decision = { verdict: 'allow' as const, policies: ['allow'], policySet: 'configuration' };
    await append({ type: 'session.open', body: { protocol: 'ssh', requested: target.name, client: 'OpenSSH_9.2', decision } });
    await append({ type: 'channel.open', body: { channel: 0, kind: 'shell', detail: {} } });
    const channel = this.recorder.openChannel({
      ...{ session: id, channel: 0, protocol: 'ssh', kind: 'shell', actor, target },
      openedAt: systemClock.wallMicros(),
    });
    if (terminal !== undefined) channel.setTerminal({ ...terminal, type: 'xterm-256color' });
    for (const happening of happenings) channel.append([frameOf(happening)]);
    const { segments } = await channel.finish();
    const bytes = channel.bytes;
    await append({ type: 'channel.close', body: { channel: 0, reason: 'closed', exit: { status: 0 }, bytes, segments } });
    await append({ type: 'session.close', body: { reason: 'the client disconnected', duration: 12, channels: 1, bytes } });
    return id;
  }

  /** As after a restart of the gateway. */
  async reopenIndexing(): Promise<void> {
    await this.indexing.close();
    this.indexing = this.#open();
  }

  segments(session: string) {
    return this.evidence.database.segments.ofChannel(session, 0);
  }

  async close(): Promise<void> {
    await this.recorder.close();
    await this.indexing.close();
    await this.evidence.close();
  }

  #open(): Indexing {
    return openIndexing({ dataDirectory: this.directory, database: this.evidence.database, log: this.log, recorder: this.recorder });
  }
}

function frameOf(happening: Happening): Frame {
  if (!('cols' in happening)) {
    const [at, text, stream = 'o'] = happening;
    return { kind: 'data', at: Math.round(at * 1e6), stream, bytes: typeof text === 'string' ? Buffer.from(text) : text };
  }
  return { kind: 'resize', at: Math.round(happening.at * 1e6), cols: happening.cols, rows: happening.rows };
}
