import type { ExportState, OperationInput } from '../../../contract/operator-api.ts';
import type { Actor } from '../../../contract/record.ts';
import { isoMicros } from '../../base/clock.ts';
import { asSallyportError, SallyportError } from '../../base/errors.ts';
import { uuidV7 } from '../../base/ids.ts';
import { printable } from '../../base/printable.ts';
import { exportQuestion } from '../../query/bundle/export-question.ts';
import type { ExportQuestion } from '../../query/bundle/selection.ts';
import type { Asking } from '../operations.ts';
import { Refusal } from '../problem.ts';
import type { EvidenceDeskParts } from './evidence-parts.ts';
import type { SpoolFile, SpoolRoom } from './spool-room.ts';

const HOUR_MILLIS = 3600_000;
const MOST_RUNNING = 3;
/** So that one operator leaves room for another. */
const MOST_RUNNING_OF_ONE = 2;
/** Bundles on the disk, those in the making among them. */
const MOST_KEPT = 8;
const MOST_KEPT_OF_ONE = 4;
/** What is told of exports that came to nothing. */
const MOST_ENDED = 50;

const GONE = 410;
const TOO_MANY_REQUESTS = 429;

interface Kept {
  state: ExportState;
  readonly question: ExportQuestion;
  readonly file: SpoolFile;
  readonly ending: AbortController;
  manifest: string;
  records: number;
  leftOut: number;
  timer: NodeJS.Timeout | undefined;
  running: Promise<void>;
}

/** A bundle that is ready to be fetched. */
export interface ReadyBundle {
  readonly path: string;
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Aborted when nobody may have it any more, also whoever has begun to fetch it: somebody ended it, or something was erased. */
  readonly over: AbortSignal;
}

/** Bundles that operators have had written: each for the one who did, for an hour, and never beyond the life of the gateway. */
export class Exports {
  readonly #parts: EvidenceDeskParts;
  readonly #room: SpoolRoom;
  readonly #kept = new Map<string, Kept>();

  constructor(parts: EvidenceDeskParts, room: SpoolRoom) {
    this.#parts = parts;
    this.#room = room;
  }

  /** Throws CONFLICT, DISK_LOW, and USAGE for a question that contradicts itself. */
  async start({ sessions = [], ...words }: OperationInput<'export.start'>, { actor }: Asking): Promise<ExportState> {
    const question = exportQuestion(sessions, given(words));
    this.#requirePlace(actor.principal);
    const id = uuidV7(this.#parts.clock.wallMicros());
    const file = await this.#room.take('zip');
    this.#requirePlace(actor.principal);
    const kept: Kept = {
      state: {
        export: id,
        by: actor.principal,
        began: this.#now(),
        state: 'running',
        sessions: sessions.length,
        done: 0,
        bytes: 0,
        name: this.#nameOf(id),
        expires: null,
      },
      question,
      file,
      ending: new AbortController(),
      manifest: '',
      records: 0,
      leftOut: 0,
      timer: undefined,
      running: Promise.resolve(),
    };
    this.#kept.set(id, kept);
    kept.running = this.#write(kept, actor);
    return { ...kept.state };
  }

  show({ export: id }: OperationInput<'export.show'>, asking: Asking): ExportState {
    return { ...this.#find(id, asking).state };
  }

  async cancel({ export: id }: OperationInput<'export.cancel'>, asking: Asking): Promise<ExportState> {
    const kept = this.#find(id, asking);
    if (kept.state.state === 'running' || kept.state.state === 'ready') {
      const words = `${asking.actor.principal} ended it`;
      kept.ending.abort(new SallyportError('EXPORT_FAILED', words));
      await kept.running;
      await this.#end(kept, 'cancelled', words);
    }
    return { ...kept.state };
  }

  /**
   * For whoever has it written, and for an admin: that it leaves with somebody else is a record. `look`: nothing of it leaves.
   * Throws NOT_FOUND or CONFLICT.
   */
  async fetch(id: string, asking: Asking, look = false): Promise<ReadyBundle> {
    const kept = this.#find(id, asking);
    const { state, by, name, bytes, sha256 = '' } = kept.state;
    if (state === 'running')
      throw new SallyportError('CONFLICT', 'the bundle is still being written', {
        remedy: 'wait until it is ready: GET /api/exports/EXPORT',
      });
    if (state !== 'ready')
      throw new Refusal(GONE, new SallyportError('NOT_FOUND', `there is no bundle any more: ${kept.state.fault ?? 'its time is over'}`));
    if (by !== asking.actor.principal && !look) await this.#record(kept, asking.actor, { export: id, by });
    return { path: kept.file.path, name, bytes, sha256, over: kept.ending.signal };
  }

  /** Something was erased, and may stand in any of them: none outlives that. */
  forget(): void {
    for (const kept of this.#kept.values()) {
      if (kept.state.state !== 'running' && kept.state.state !== 'ready') continue;
      const why = 'something was erased since it was begun';
      kept.ending.abort(new SallyportError('EXPORT_FAILED', why));
      if (kept.state.state === 'ready') void this.#end(kept, 'cancelled', why);
    }
  }

  /** Everything ends, and is deleted. */
  async close(): Promise<void> {
    const stopping = new SallyportError('GATEWAY_DRAINING', 'the gateway is shutting down');
    for (const { ending, timer } of this.#kept.values()) {
      clearTimeout(timer);
      ending.abort(stopping);
    }
    await Promise.all([...this.#kept.values()].map(({ running }) => running));
  }

  /** Never rejects. */
  async #write(kept: Kept, actor: Actor): Promise<void> {
    const { run, dataDirectory: directory, records, ledger, gatewayName, version, log } = this.#parts;
    const created = kept.state.began;
    const gateway = { name: gatewayName, version };
    try {
      await records.flush();
      const { note: checkpoint } = await ledger.signed();
      const done = await kept.file.guard(kept.ending.signal, (signal) =>
        run(
          'export',
          { directory, file: kept.file.path, question: kept.question, gateway, created, checkpoint },
          {
            signal,
            progress: ({ done: written, total, bytes = 0 }) => Object.assign(kept.state, { done: written, sessions: total, bytes }),
            attest: async (tagManifest, question) => ledger.attest({ tagManifest, question, checkpoint, gateway, time: this.#now() }),
          },
        ),
      );
      Object.assign(kept, { manifest: done.manifest, records: done.records, leftOut: done.leftOut });
      Object.assign(kept.state, { sessions: done.sessions, done: done.sessions });
      kept.ending.signal.throwIfAborted();
      // Before anybody can have it: a bundle that nobody can know of would be one that nobody has to answer for.
      await this.#record(kept, actor);
      kept.ending.signal.throwIfAborted();
      Object.assign(kept.state, { state: 'ready', bytes: done.bytes, sha256: done.sha256, expires: this.#now(HOUR_MILLIS) });
      kept.timer = setTimeout(() => void this.#end(kept, 'cancelled', 'its hour is over'), HOUR_MILLIS);
      kept.timer.unref();
    } catch (thrown) {
      const { code, message } = asSallyportError(thrown, 'EXPORT_FAILED');
      if (!kept.ending.signal.aborted) log.warn({ export: kept.state.export, code }, `a bundle could not be written: ${message}`);
      await this.#end(kept, kept.ending.signal.aborted ? 'cancelled' : 'failed', message);
    }
  }

  async #end(kept: Kept, state: 'failed' | 'cancelled', why: string): Promise<void> {
    clearTimeout(kept.timer);
    if (kept.state.state !== 'failed' && kept.state.state !== 'cancelled')
      Object.assign(kept.state, { state, fault: printable(why), expires: null });
    await kept.file.remove();
    const ended = [...this.#kept].filter(([, each]) => each.state.state === 'failed' || each.state.state === 'cancelled');
    for (const [id] of ended.slice(0, Math.max(0, ended.length - MOST_ENDED))) this.#kept.delete(id);
  }

  async #record(kept: Kept, actor: Actor, fetched?: { export: string; by: string }): Promise<void> {
    const { records, gatewayName } = this.#parts;
    const { words, parameters } = kept.question;
    const { manifest, records: count, leftOut } = kept;
    await records.append({
      type: 'access.exported',
      outcome: 'success',
      actor,
      target: { name: gatewayName, kind: 'gateway' },
      body: {
        question: { words, ...parameters, ...(fetched === undefined ? {} : { fetched }) },
        sessions: kept.state.done,
        records: count,
        leftOut,
        manifest,
      },
    });
  }

  /** Of somebody else's nothing is told, not even that there is one. */
  #find(id: string, { actor, operator }: Asking): Kept {
    const kept = this.#kept.get(id);
    if (kept !== undefined && (kept.state.by === actor.principal || operator?.roles.includes('admin') === true)) return kept;
    throw new SallyportError('NOT_FOUND', `there is no export ${id}`, { remedy: 'it may be over: one is kept for an hour' });
  }

  #requirePlace(operator: string): void {
    const kept = [...this.#kept.values()].filter(({ state: { state } }) => state === 'running' || state === 'ready');
    const own = kept.filter(({ state: { by } }) => by === operator);
    const running = kept.filter(({ state: { state } }) => state === 'running');
    const ownRunning = running.filter(({ state: { by } }) => by === operator).length;
    const why =
      ownRunning >= MOST_RUNNING_OF_ONE
        ? `${ownRunning} bundles of ${operator} are being written already`
        : running.length >= MOST_RUNNING
          ? `${running.length} bundles are being written already`
          : own.length >= MOST_KEPT_OF_ONE
            ? `${own.length} bundles of ${operator} are kept already`
            : kept.length >= MOST_KEPT
              ? `${kept.length} bundles are kept already`
              : undefined;
    if (why === undefined) return;
    const remedy = 'fetch what is ready and end it (POST /api/exports/EXPORT/cancel), or wait';
    throw new Refusal(TOO_MANY_REQUESTS, new SallyportError('CONFLICT', why, { remedy }));
  }

  /** Safe as the name of a file anywhere. */
  #nameOf(id: string): string {
    const gateway = this.#parts.gatewayName
      .replaceAll(/[^A-Za-z0-9.-]+/g, '-')
      .replace(/^[.-]+/, '')
      .slice(0, 60);
    return `sallyport-${gateway === '' ? 'bundle' : gateway}-${this.#now().slice(0, 10)}-${id.slice(-12)}.zip`;
  }

  #now(later = 0): string {
    return isoMicros(this.#parts.clock.wallMicros() + later * 1000);
  }
}

/** Only what was said. */
function given<T extends object>(words: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(words).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
