import { existsSync, readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import type { PerStream } from './cast-renderer.ts';
import { type SealJob, sealStretch } from './seal-stretch.ts';

/**
 * The sealing thread. It renders, hashes and compresses one stretch at a time, and while one waits for the disk it
 * works on the next. It runs at a lower priority than the thread that relays.
 */

const LOWER_PRIORITY = 10;

/** How much binary content each channel has had kept. A hint that a crash may lose: then a little more is kept. */
const rawSpent = new Map<string, PerStream>();
const MAX_HINTS = 20_000;

// Linux schedules threads like processes, and os.setPriority takes a thread's id.
const THREAD_SELF = '/proc/thread-self';
if (existsSync(THREAD_SELF)) setPriority(Number(readlinkSync(THREAD_SELF).split('/').at(-1)), LOWER_PRIORITY);

const port = parentPort;
if (port === null) throw new Error('sealer-worker.ts only runs as a worker thread');

port.on('message', (job: SealJob) => {
  const channel = `${job.session}/${job.channel}`;
  // Rendering happens within this call, so the hint of the stretch before is there; the rest waits for the disk.
  const sealing = sealStretch(job, rawSpent.get(channel), (spent) => {
    if (job.last || rawSpent.size >= MAX_HINTS) rawSpent.delete(channel);
    else rawSpent.set(channel, spent);
  });
  void sealing.then((outcome) => port.postMessage(outcome));
});

port.postMessage('ready');
