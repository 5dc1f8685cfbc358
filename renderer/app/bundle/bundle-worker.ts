// As in the window: the content security policy allows no code made of text, and schemas come with what follows.
import '../without-eval.ts';
import { wordsOf } from '../../evidence/data-fault.ts';
import { type ByteSource, NotABundle } from '../../evidence/zip/zip-directory.ts';
import { ZipVerification } from '../../evidence/zip/zip-verification.ts';
import type { BundleProgress, FromWorker, Question, ToWorker } from './bundle-messages.ts';

/*
 * Verifies one bundle, away from the window, so that the window answers while hundreds of megabytes are hashed. One
 * worker opens one file and ends with it.
 */

/** Between two words about progress, milliseconds. */
const TELL_MILLIS = 200;

const reads = new Map<number, { resolve(bytes: Uint8Array<ArrayBuffer>): void; reject(fault: Error): void }>();
let lastRead = 0;
let opened: ZipVerification | undefined;
let telling: ReturnType<typeof setTimeout> | undefined;

self.addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  switch (data.kind) {
    case 'open':
      void open(data.size, data.blob);
      return;
    case 'read':
      reads.get(data.id)?.resolve(data.bytes);
      reads.delete(data.id);
      return;
    case 'unread':
      reads.get(data.id)?.reject(new Error(data.words));
      reads.delete(data.id);
      return;
    case 'ask':
      void answer(data.id, data);
      return;
  }
});

async function open(size: number, blob: Blob | undefined): Promise<void> {
  const source: ByteSource = {
    size,
    read: (at, length) => (blob === undefined ? readThere(at, length) : readBlob(blob, at, length)),
  };
  try {
    opened = await ZipVerification.open(source, tellSoon);
    const { page, pageFault } = opened;
    // The tiles stay here, where they are used: they are most of what a page is told.
    tell({ kind: 'opened', page: page && { ...page, ledger: { ...page.ledger, tiles: {} } }, pageFault });
    await opened.run();
  } catch (thrown) {
    tell({ kind: 'refused', words: wordsOf(thrown), foreign: thrown instanceof NotABundle });
  }
}

async function answer(id: number, question: Question): Promise<void> {
  try {
    if (opened === undefined) throw new Error('The bundle is not open.');
    tell({ kind: 'answer', id, value: await answerOf(opened, question) });
  } catch (thrown) {
    tell({ kind: 'unanswered', id, words: wordsOf(thrown) });
  }
}

function answerOf(bundle: ZipVerification, question: Question): Promise<unknown> {
  switch (question.ask) {
    case 'segment':
      return bundle.segmentText(question.session, question.channel, question.segment);
    case 'records':
      return bundle.records(question.session);
    default:
      return bundle.compare(question.text);
  }
}

async function readBlob(blob: Blob, at: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await blob.slice(at, at + length).arrayBuffer());
}

function readThere(at: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  lastRead += 1;
  const id = lastRead;
  return new Promise((resolve, reject) => {
    reads.set(id, { resolve, reject });
    tell({ kind: 'read', id, at, length });
  });
}

function tellSoon(): void {
  if (opened?.finished === true) {
    clearTimeout(telling);
    telling = undefined;
    tellProgress();
  } else telling ??= setTimeout(tellProgress, TELL_MILLIS);
}

function tellProgress(): void {
  telling = undefined;
  if (opened !== undefined) tell({ kind: 'progress', progress: progressOf(opened) });
}

function progressOf({ steps, finished, verification, page }: ZipVerification): BundleProgress {
  const sessionFaults = new Map<string, number>();
  for (const { id } of page?.sessions ?? []) {
    const faults = verification?.faultsOf(id) ?? 0;
    if (faults > 0) sessionFaults.set(id, faults);
  }
  const { checkpoint, key } = verification ?? {};
  const checked = verification?.steps.sessions.state;
  return {
    steps,
    finished,
    sessionFaults,
    sessionsChecked: checked !== undefined && checked !== 'waiting' && checked !== 'running',
    checkpoint: checkpoint && { origin: checkpoint.origin, size: checkpoint.size },
    key: key && { name: key.name, id: key.id },
  };
}

function tell(message: FromWorker): void {
  self.postMessage(message, { transfer: [] });
}
