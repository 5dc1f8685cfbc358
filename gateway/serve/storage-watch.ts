import { statfs } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { asSallyportError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Records } from '../ledger/records.ts';
import type { Recorder } from '../recording/recorder.ts';

const FIRST_RETRY_MILLIS = 500;
const LONGEST_RETRY_MILLIS = 10_000;
/** Changes that may wait for a disk that takes nothing. Those in the middle say least, and are let go first. */
const MAX_WAITING = 8;

export interface StorageParts {
  readonly recorder: Pick<Recorder, 'space' | 'onSpace'>;
  readonly records: Pick<Records, 'append' | 'gateway'>;
  readonly log: Log;
  readonly dataDirectory: string;
  readonly gatewayName: string;
  /** Bytes. */
  readonly reserve: number;
}

type State = Recorder['space'];

/**
 * Records when the disk's free space crosses a limit, in the order of what happened. Nothing waits for it: on a full disk
 * it is tried again until it is durable or the gateway stops. Returns how to end that.
 */
export function recordStorageChanges(parts: StorageParts): () => void {
  const stop = new AbortController();
  const waiting: { state: State; free: number }[] = [];
  let writing = false;

  const write = async (): Promise<void> => {
    if (writing) return;
    writing = true;
    let wait = FIRST_RETRY_MILLIS;
    for (let [next] = waiting; next !== undefined && !stop.signal.aborted; [next] = waiting) {
      try {
        await append(next, parts);
        if (waiting[0] === next) waiting.shift();
        wait = FIRST_RETRY_MILLIS;
      } catch (thrown) {
        const { code, message } = asSallyportError(thrown);
        parts.log.warn({ code, state: next.state }, `a change of the free space is not recorded yet, it will be tried again: ${message}`);
        await delay(wait, undefined, { ref: false, signal: stop.signal }).catch(() => undefined); // Ended while it waited.
        wait = Math.min(wait * 2, LONGEST_RETRY_MILLIS);
      }
    }
    writing = false;
  };

  const changed = async (state: State): Promise<void> => {
    const free = await freeBytes(parts.dataDirectory);
    waiting.push({ state, free });
    if (waiting.length > MAX_WAITING) waiting.splice(1, 1);
    await write();
  };

  const forget = parts.recorder.onSpace((state) => void changed(state));
  if (parts.recorder.space !== 'ample') void changed(parts.recorder.space);
  return () => {
    stop.abort();
    forget();
  };
}

async function append({ state, free }: { state: State; free: number }, { records, gatewayName, reserve }: StorageParts): Promise<void> {
  await records.append({
    type: 'storage.changed',
    outcome: state === 'ample' ? 'success' : 'failure',
    actor: records.gateway,
    target: { name: gatewayName, kind: 'gateway' },
    body: { state, free, reserve },
  });
}

/** Never rejects: a disk that cannot be asked has nothing to give. */
async function freeBytes(directory: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  } catch {
    return 0;
  }
}
