import { existsSync, readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import type { SegmentRow } from '../../contract/session.ts';
import { ChannelIndexer } from './channel-indexer.ts';
import type { FromIndexer, ToIndexer } from './indexer-messages.ts';

/**
 * The thread that makes recordings quick to replay and to search, when they are sealed. What is in them is hostile: if
 * this thread is kept busy, runs out of memory or dies of it, that is all it takes with it. It has the lowest priority
 * of all.
 */

const LOWEST_PRIORITY = 19;
const ALIVE_MILLIS = 500;

const THREAD_SELF = '/proc/thread-self';
if (existsSync(THREAD_SELF)) setPriority(Number(readlinkSync(THREAD_SELF).split('/').at(-1)), LOWEST_PRIORITY);

const port = parentPort;
if (port === null) throw new Error('indexer-worker.ts only runs as a worker thread');
const say = (message: FromIndexer) => port.postMessage(message);

let aliveAt = 0;
let answerEarlier: ((segments: readonly SegmentRow[]) => void) | undefined;
let answerStored: (() => void) | undefined;

const indexer = new ChannelIndexer({
  say,
  alive: () => {
    const now = performance.now();
    if (now - aliveAt < ALIVE_MILLIS) return;
    aliveAt = now;
    say({ kind: 'alive' });
  },
  earlier: (id) =>
    new Promise((resolve) => {
      answerEarlier = resolve;
      say({ kind: 'earlier', id });
    }),
  stored: () =>
    new Promise((resolve) => {
      answerStored = resolve;
    }),
});

port.on('message', (message: ToIndexer) => {
  if (message.kind === 'earlier') answerEarlier?.(message.segments);
  else if (message.kind === 'stored') answerStored?.();
  else if (message.kind === 'forget') indexer.forget(message.session);
  else {
    const { id } = message;
    indexer.index(id, message.job).then(
      () => say({ kind: 'done', id }),
      (thrown: unknown) => say({ kind: 'failed', id, message: thrown instanceof Error ? thrown.message : String(thrown) }),
    );
  }
});

say({ kind: 'ready' });
