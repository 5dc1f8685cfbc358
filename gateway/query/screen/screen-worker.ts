import { existsSync, readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import type { SegmentRow } from '../../../contract/session.ts';
import { FollowedScreen } from './followed-screen.ts';
import type { FollowRequest, FromScreens, ToScreens } from './screen-messages.ts';
import { ScreenSource } from './screen-source.ts';

/**
 * The thread in which watched sessions are shown to terminals. What comes out of a session is hostile: if this thread
 * is kept busy, runs out of memory or dies of it, that is all it takes with it. It runs at a lower priority than the
 * thread that relays.
 */

const LOWER_PRIORITY = 15;

const THREAD_SELF = '/proc/thread-self';
if (existsSync(THREAD_SELF)) setPriority(Number(readlinkSync(THREAD_SELF).split('/').at(-1)), LOWER_PRIORITY);

const port = parentPort;
if (port === null) throw new Error('screen-worker.ts only runs as a worker thread');
const say = (message: FromScreens, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

/** What a channel is asked for is done in the order in which it was asked. */
interface Followed {
  screen: FollowedScreen;
  work: Promise<void>;
  segments: ((rows: readonly SegmentRow[]) => void)[];
}

const followed = new Map<number, Followed>();

const ALIVE_MILLIS = 500;
let aliveAt = 0;

function pause(): Promise<void> {
  const now = performance.now();
  if (now - aliveAt >= ALIVE_MILLIS) {
    aliveAt = now;
    say({ kind: 'alive' });
  }
  return new Promise((resolve) => setImmediate(resolve));
}

function follow(id: number, request: FollowRequest): void {
  const segments: Followed['segments'] = [];
  const ask = () =>
    new Promise<readonly SegmentRow[]>((resolve) => {
      segments.push(resolve);
      say({ kind: 'segments', id });
    });
  const screen = new FollowedScreen(new ScreenSource(request, ask), request.terminal, pause);
  followed.set(id, { screen, work: Promise.resolve(), segments });
}

port.on('message', (message: ToScreens) => {
  if (message.kind === 'follow') {
    follow(message.id, message.request);
    return;
  }
  const channel = followed.get(message.id);
  if (channel === undefined) return;
  const { id } = message;
  if (message.kind === 'segments') {
    for (const resolve of channel.segments.splice(0)) resolve(message.rows);
  } else if (message.kind === 'forget') {
    followed.delete(id);
    channel.work = channel.work.then(() => channel.screen.close());
  } else {
    const { at, ticket } = message;
    channel.work = channel.work.then(async () => {
      try {
        const dumped = await channel.screen.at(at);
        say({ kind: 'dumped', id, ticket, dumped }, dumped.state === 'screen' ? [dumped.data.buffer as ArrayBuffer] : []);
      } catch (thrown) {
        say({ kind: 'failed', id, ticket, message: thrown instanceof Error ? thrown.message : String(thrown) });
      }
    });
  }
});

say({ kind: 'ready' });
