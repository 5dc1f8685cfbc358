import { existsSync, readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { SegmentTexts } from '../segment-text.ts';
import { CastFollower, type SealedNow } from './cast-follower.ts';
import type { FromLiveCasts, ToLiveCasts } from './live-cast-messages.ts';

/**
 * The thread in which the recordings of running channels are made into the text of a cast for whoever follows them: it
 * takes as much work as sealing does, and that the relay must not wait for. It runs at a lower priority than both.
 */

const LOWER_PRIORITY = 12;

const THREAD_SELF = '/proc/thread-self';
if (existsSync(THREAD_SELF)) setPriority(Number(readlinkSync(THREAD_SELF).split('/').at(-1)), LOWER_PRIORITY);

const port = parentPort;
if (port === null) throw new Error('live-cast-worker.ts only runs as a worker thread');
const say = (message: FromLiveCasts) => port.postMessage(message);

/** What a channel is asked for is done in the order in which it was asked. */
interface Followed {
  readonly follower: CastFollower;
  work: Promise<void>;
  readonly asking: ((sealed: SealedNow) => void)[];
}

const followed = new Map<number, Followed>();
const texts = new Map<string, SegmentTexts>();

function textsOf(dataDirectory: string): SegmentTexts {
  const known = texts.get(dataDirectory) ?? new SegmentTexts(dataDirectory);
  texts.set(dataDirectory, known);
  return known;
}

port.on('message', (message: ToLiveCasts) => {
  const { id } = message;
  if (message.kind === 'follow') {
    const asking: Followed['asking'] = [];
    const ask = () =>
      new Promise<SealedNow>((resolve) => {
        asking.push(resolve);
        say({ kind: 'ask-sealed', id });
      });
    const follower = new CastFollower(message.where, message.from, textsOf(message.where.dataDirectory), ask);
    followed.set(id, { follower, work: Promise.resolve(), asking });
    return;
  }
  const channel = followed.get(id);
  if (channel === undefined) return;
  if (message.kind === 'sealed') {
    for (const resolve of channel.asking.splice(0)) resolve(message.sealed);
  } else if (message.kind === 'forget') {
    followed.delete(id);
    // Whoever waits for what nobody will tell any more goes on without.
    for (const resolve of channel.asking.splice(0)) resolve({ rows: [] });
    channel.work = channel.work.then(() => channel.follower.close());
  } else {
    const { most, reached } = message;
    channel.work = channel.work.then(async () => {
      try {
        say({ kind: 'read', id, read: await channel.follower.read(most, reached) });
      } catch (thrown) {
        say({ kind: 'failed', id, message: thrown instanceof Error ? thrown.message : String(thrown) });
      }
    });
  }
});
