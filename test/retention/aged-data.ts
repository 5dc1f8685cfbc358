import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Actor, RecordDraft, Resource } from '../../contract/record.ts';
import { type Clock, systemClock } from '../../gateway/base/clock.ts';
import { uuidV7 } from '../../gateway/base/ids.ts';
import { type Evidence, openEvidence } from '../../gateway/evidence.ts';
import type { Principal } from '../../gateway/identity/principal.ts';
import type { Finding } from '../../gateway/query/verify/finding.ts';
import { verifyDataDirectory } from '../../gateway/query/verify/verify-data-directory.ts';
import { Recorder } from '../../gateway/recording/recorder.ts';
import { Retention } from '../../gateway/retention/retention.ts';
import { type RetentionSettings, retentionTerms } from '../../gateway/retention/retention-terms.ts';
import { type Indexing, openIndexing } from '../../gateway/serve/indexing.ts';
import { KeptLog } from '../recording/support.ts';
import { temporaryDirectory } from '../store/support.ts';

export const DAY = 86_400;
const GATEWAY = 'gateway-1';

/** A clock that a test sets; it does not run by itself. */
export class SetClock implements Clock {
  wall = systemClock.wallMicros();
  monotonic = 0;
  wallMicros = () => this.wall;
  monotonicNanos = () => this.monotonic;

  daysAgo(days: number): void {
    this.wall = systemClock.wallMicros() - days * DAY * 1_000_000;
  }

  now(): void {
    this.wall = systemClock.wallMicros();
  }
}

export interface SessionSaid {
  principal?: string;
  onBehalfOf?: string;
  source?: string;
  target?: string;
  command?: string;
  output?: string;
  /** Ended this many days ago. */
  daysAgo?: number;
  /** What is sent as a binary stream and kept whole. */
  binary?: Uint8Array;
}

export const operator: Actor = { principal: 'root', kind: 'human', authentication: { method: 'local-user' }, source: 'gateway-1' };
const never = new AbortController().signal;
export const asking = { actor: operator, signal: never };

export interface AgedOptions {
  directory?: string;
  settings?: RetentionSettings;
  principals?: ReadonlyMap<string, Principal>;
  releaseReserve?: () => void;
}

/** A data directory with a past: written by the real recorder, records and ledger, by a clock that a test sets. */
export class AgedData {
  readonly directory: string;
  readonly clock: SetClock;
  readonly log: KeptLog;
  readonly retention: Retention;
  readonly evidence: Evidence;
  /** Told of nothing, and does nothing until a test has it begin. */
  readonly indexing: Indexing;
  principals: ReadonlyMap<string, Principal>;
  settings: RetentionSettings;
  #recorder: Recorder | undefined;
  #closed = false;

  private constructor(directory: string, clock: SetClock, log: KeptLog, evidence: Evidence, options: AgedOptions) {
    this.directory = directory;
    this.clock = clock;
    this.log = log;
    this.evidence = evidence;
    this.indexing = openIndexing({ ...evidence, dataDirectory: directory, log });
    this.settings = options.settings ?? keptFor(400);
    this.principals = options.principals ?? new Map();
    this.retention = new Retention({
      ...evidence,
      made: this.indexing.made,
      clock,
      log,
      gatewayName: GATEWAY,
      origin: evidence.ledger.key.name,
      terms: () => retentionTerms(this.settings),
      principals: () => this.principals,
      releaseReserve: options.releaseReserve ?? (() => undefined),
    });
  }

  static async open(options: AgedOptions = {}): Promise<AgedData> {
    const directory = options.directory ?? (await temporaryDirectory());
    const clock = new SetClock();
    const log = new KeptLog();
    const evidence = await openEvidence({ gateway: { listen: {}, data: directory, name: GATEWAY }, ledger: {} }, directory, { clock, log });
    const data = new AgedData(directory, clock, log, evidence, options);
    onTestFinished(() => data.close());
    return data;
  }

  /** A session with one exec channel, from beginning to end. */
  session(said: SessionSaid = {}): Promise<string> {
    return this.#session(said, true);
  }

  /** The same as records alone, by the clock as it is: many of them take no time. */
  bareSession(said: SessionSaid): Promise<string> {
    return this.#session(said, false);
  }

  async #session(said: SessionSaid, recorded: boolean): Promise<string> {
    const { clock, evidence } = this;
    if (said.daysAgo !== undefined || recorded) clock.daysAgo(said.daysAgo ?? 500);
    const id = uuidV7(clock.wallMicros());
    const actor: Actor = {
      principal: said.principal ?? 'deploy-bot',
      kind: 'agent',
      onBehalfOf: said.onBehalfOf ?? 'engineer@example.com',
      authentication: { method: 'publickey', key: 'SHA256:abc' },
      source: said.source ?? '192.0.2.7:50022',
    };
    const target: Resource = { name: said.target ?? 'web-1', kind: 'ssh', address: '192.0.2.10:22' };
    const command = said.command ?? 'id';
    const append = (draft: Omit<RecordDraft, 'actor' | 'target' | 'session' | 'outcome'>) =>
      evidence.records.append({ ...draft, outcome: 'success', actor, target, session: id } as RecordDraft);
    const decision = { verdict: 'allow' as const, policies: ['allow'], policySet: 'configuration' };
    await append({ type: 'session.open', body: { protocol: 'ssh', requested: target.name, client: 'OpenSSH_9.2', decision } });
    await append({ type: 'channel.open', body: { channel: 0, kind: 'exec', detail: { command } } });
    const { streams, segments } = recorded ? await this.#record(id, actor, target, said) : { streams: { i: 0, o: 0, e: 0 }, segments: 0 };
    await append({ type: 'channel.close', body: { channel: 0, reason: 'closed', exit: { status: 0 }, bytes: streams, segments } });
    await append({ type: 'session.close', body: { reason: 'the client disconnected', duration: 12, channels: 1, bytes: streams } });
    clock.now();
    return id;
  }

  async #record(id: string, actor: Actor, target: Resource, said: SessionSaid) {
    const channel = (await this.#openRecorder()).openChannel({
      ...{ session: id, channel: 0, protocol: 'ssh', kind: 'exec', actor, target },
      openedAt: this.clock.wallMicros(),
      content: 'whole',
    });
    const output = Buffer.from(said.output ?? 'uid=0(root)\n');
    const streams = { i: 0, o: output.length, e: 0 };
    channel.append([{ kind: 'data', at: 1e6, stream: 'o', bytes: output }]);
    for (let at = 0; at < (said.binary?.length ?? 0); at += 32_768) {
      const bytes = Buffer.from(said.binary?.subarray(at, at + 32_768) ?? []);
      channel.append([{ kind: 'data', at: 2e6 + at, stream: 'i', bytes }]);
      streams.i += bytes.length;
    }
    channel.append([{ kind: 'exit', at: 9e9, status: 0 }]);
    const { segments } = await channel.finish();
    return { streams, segments };
  }

  /** Two refusals: of a log-in, and of a session. */
  async refusals(user: string, daysAgo = 500): Promise<void> {
    this.clock.daysAgo(daysAgo);
    const gateway: Resource = { name: GATEWAY, kind: 'gateway' };
    const source = '192.0.2.66:1';
    await this.evidence.records.append({
      ...{ type: 'auth.refused', outcome: 'denied', actor: { principal: 'unknown', kind: 'unknown', source }, target: gateway },
      body: { protocol: 'ssh', method: 'publickey', user, reason: 'unknown key' },
    });
    await this.evidence.records.append({
      ...{ type: 'session.refused', outcome: 'denied', actor: { principal: user, kind: 'human', source }, target: gateway },
      body: { protocol: 'ssh', code: 'ACCESS_DENIED', reason: 'nobody allows it', requested: 'web-1' },
    });
    this.clock.now();
  }

  run(dryRun = false) {
    return this.retention.run({ dryRun }, asking);
  }

  /** Everything that `sallyport verify` would call a fault. */
  async faults(): Promise<Finding[]> {
    await this.evidence.ledger.signed();
    return faultsIn(this.directory);
  }

  async #openRecorder(): Promise<Recorder> {
    this.#recorder ??= await Recorder.open(
      {
        ...{ directory: this.directory, segmentBytes: 65_536, segmentSeconds: 60, reserveBytes: 8192, backlogBytes: 64 * 1024 * 1024 },
        ...{ durability: 'relaxed', content: 'digest', input: true },
      },
      { records: this.evidence.records, clock: this.clock, log: this.log },
    );
    return this.#recorder;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#recorder?.close();
    await this.indexing.close();
    await this.evidence.close();
  }
}

export async function faultsIn(directory: string): Promise<Finding[]> {
  const faults: Finding[] = [];
  await verifyDataDirectory(directory, {}, (finding) => {
    if (finding.severity === 'fault') faults.push(finding);
  });
  return faults;
}

/** Every target for the same time. */
function keptFor(days: number): RetentionSettings {
  return { recording: { retainSeconds: days * DAY, retainByTag: [] }, targets: new Map([['web-1', { tags: {} }]]) };
}

/** Every file below a directory, with the SHA-256 of its content. Not SQLite's shared memory, which readers write to. */
export function snapshot(directory: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(directory, { recursive: true }) as string[]) {
    if (name.endsWith('-shm')) continue;
    const path = join(directory, name);
    const stats = lstatSync(path);
    if (stats.isSymbolicLink()) found[name] = `-> ${readlinkSync(path)}`;
    else if (stats.isFile()) found[name] = createHash('sha256').update(readFileSync(path)).digest('hex');
    else found[name] = stats.isDirectory() ? 'directory' : 'other';
  }
  return found;
}

/** The files below a directory in which one of these texts stands, in UTF-8. */
export function filesWith(directory: string, ...texts: string[]): string[] {
  const files = (readdirSync(directory, { recursive: true }) as string[]).filter((name) => lstatSync(join(directory, name)).isFile());
  return files.flatMap((name) => {
    const bytes = readFileSync(join(directory, name));
    return texts.filter((text) => bytes.includes(text)).map((text) => `${name}: ${text}`);
  });
}

export function isThere(directory: string, path: string): boolean {
  return existsSync(join(directory, path));
}
