import type { BundlePage, BundlePageChannel, BundlePageSession } from '../../../contract/bundle-page.ts';
import { SegmentSource } from '../../../contract/replay/segment-source.ts';
import type { BundleFile } from '../host/host.ts';
import type { Answers, BundleProgress, FromWorker, Question, ToWorker } from './bundle-messages.ts';

/** A worker of the web's, or one that a test puts in its place. */
export interface BundleWorker {
  postMessage(message: ToWorker, transfer: Transferable[]): void;
  addEventListener(type: 'message', listener: (event: { readonly data: FromWorker }) => void): void;
  addEventListener(type: 'error', listener: (event: { readonly message?: string }) => void): void;
  terminate(): void;
}

/** What is known of the file so far. Another object when anything of it is another. */
export type BundleState =
  | { readonly state: 'opening' }
  | { readonly state: 'refused'; readonly words: string /** It is no bundle; else it could not be read. */; readonly foreign: boolean }
  | {
      readonly state: 'open';
      readonly page: BundlePage | undefined;
      readonly pageFault: string | undefined;
      readonly progress: BundleProgress | undefined;
    };

/** One bundle that somebody opened. It is read, verified and asked in a worker of its own. */
export class OpenedBundle {
  readonly name: string;
  readonly size: number;
  readonly #file: BundleFile;
  readonly #worker: BundleWorker;
  readonly #listeners = new Set<() => void>();
  readonly #asked = new Map<number, { resolve(value: unknown): void; reject(fault: Error): void }>();
  #state: BundleState = { state: 'opening' };
  #last = 0;
  #closed = false;

  constructor(file: BundleFile, worker: BundleWorker) {
    this.name = file.name;
    this.size = file.size;
    this.#file = file;
    this.#worker = worker;
    worker.addEventListener('message', ({ data }) => this.#hear(data));
    worker.addEventListener('error', ({ message }) => this.#fail(message ?? 'the worker that verifies it could not be started'));
    this.#tell({ kind: 'open', size: file.size, blob: file.blob });
  }

  get state(): BundleState {
    return this.#state;
  }

  readonly onChange = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** Rejects with an Error in words. */
  ask<Asked extends Question>(question: Asked): Promise<Answers[Asked['ask']]> {
    if (this.#closed) return Promise.reject(new Error('The bundle was closed.'));
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve: (value) => resolve(value as Answers[Asked['ask']]), reject });
      this.#tell({ kind: 'ask', id, ...question });
    });
  }

  /** A channel for a player: each part as a record seals it, or what is wrong with it. */
  segments(session: BundlePageSession, channel: BundlePageChannel): SegmentSource {
    return new SegmentSource(
      channel.segments.map((segment) => ({
        number: segment.segment,
        from: segment.from,
        to: segment.to,
        load: () =>
          this.ask({ ask: 'segment', session: session.id, channel: channel.channel, segment }).catch((thrown: unknown) => ({
            damage: thrown instanceof Error ? thrown.message : String(thrown),
          })),
      })),
    );
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#worker.terminate();
    for (const asked of this.#asked.values()) asked.reject(new Error('The bundle was closed.'));
    this.#asked.clear();
    this.#listeners.clear();
    void this.#file.close?.();
  }

  #hear(message: FromWorker): void {
    if (this.#closed) return;
    switch (message.kind) {
      case 'read':
        void this.#read(message.id, message.at, message.length);
        return;
      case 'refused':
        if (this.#state.state === 'open') this.#fail(message.words);
        else this.#become({ state: 'refused', words: message.words, foreign: message.foreign });
        return;
      case 'opened':
        this.#become({ state: 'open', page: message.page, pageFault: message.pageFault, progress: undefined });
        return;
      case 'progress':
        if (this.#state.state === 'open') this.#become({ ...this.#state, progress: message.progress });
        return;
      case 'answer':
        this.#asked.get(message.id)?.resolve(message.value);
        this.#asked.delete(message.id);
        return;
      case 'unanswered':
        this.#asked.get(message.id)?.reject(new Error(message.words));
        this.#asked.delete(message.id);
        return;
    }
  }

  /** What happened outside of any step: nothing that was shown before may be taken for the whole. */
  #fail(words: string): void {
    this.#become({ state: 'refused', words, foreign: false });
  }

  async #read(id: number, at: number, length: number): Promise<void> {
    try {
      const bytes = await this.#file.read(at, length);
      this.#tell({ kind: 'read', id, bytes }, [bytes.buffer]);
    } catch (thrown) {
      this.#tell({ kind: 'unread', id, words: thrown instanceof Error ? thrown.message : String(thrown) });
    }
  }

  #tell(message: ToWorker, transfer: Transferable[] = []): void {
    if (!this.#closed) this.#worker.postMessage(message, transfer);
  }

  #become(state: BundleState): void {
    this.#state = state;
    for (const listener of [...this.#listeners]) listener();
  }
}
