import type { ErrorCode } from '../../contract/error-codes.ts';
import type { Frame } from '../../contract/frame-codec.ts';
import { asSallyportError, type SallyportError } from '../base/errors.ts';
import type { ChannelRecording } from '../recording/recorder.ts';

/**
 * Record first, then deliver. Everything that crosses a session goes through here in the order in which it arrived,
 * both directions together: what one turn of the event loop brought is gathered, written to the journals with one
 * write a channel, and only then handed on. When a write fails nothing of the batch is delivered and nothing ever
 * will be again: the session is over.
 */
export class RecordedRelay {
  readonly #medium: DeliveryMedium;
  readonly #failed: (error: SallyportError) => void;
  #waiting: Passage[] = [];
  #waitingBytes = 0;
  #scheduled = false;
  #syncing = false;
  #dead = false;
  #held = false;
  #whenIdle: Array<() => void> = [];

  /** `failed` is called at most once: a recording could not be written, or what it holds could not be handed on. */
  constructor(medium: DeliveryMedium, failed: (error: SallyportError) => void) {
    this.#medium = medium;
    this.#failed = failed;
  }

  /** Records the frames, then calls `deliver`. `bytes` is what is held in memory meanwhile, frames and message together. */
  pass(recording: ChannelRecording, frames: readonly Frame[], bytes: number, deliver: () => void): void {
    this.#add({ recording, frames, deliver, bytes });
  }

  /** For what carries no content (window credit, replies): keeps its place in the order. */
  follow(deliver: () => void, bytes = 0): void {
    this.#add({ recording: undefined, frames: [], deliver, bytes });
  }

  /** Records and delivers at once, ahead of what waits: what the gateway itself has to say, also while `hold` is on. */
  interject(recording: ChannelRecording, frames: readonly Frame[], deliver: () => void): void {
    if (this.#dead) return;
    try {
      recording.append(frames);
    } catch (error) {
      this.#fail(error, 'RECORDING_FAILED');
      return;
    }
    const batch = [{ recording, frames, deliver, bytes: 0 }];
    if (!recording.strict) {
      this.#deliver(batch);
      return;
    }
    recording.sync().then(
      () => this.#deliver(batch),
      (error: unknown) => this.#fail(error, 'RECORDING_FAILED'),
    );
  }

  /** While on, nothing that was passed is recorded or delivered. What arrives is kept: the sides have to be stopped too. */
  hold(on: boolean): void {
    this.#held = on;
    if (!on && this.#waiting.length > 0) this.#schedule();
  }

  /** Bytes that wait for the disk. Only `durability: strict` lets them wait beyond the turn. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Resolves when everything passed so far has been delivered or dropped. */
  idle(): Promise<void> {
    if (this.#waiting.length === 0 && !this.#syncing) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** Drops what is waiting and refuses everything that follows. */
  stop(): void {
    this.#dead = true;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#announceIdle();
  }

  #add(passage: Passage): void {
    if (this.#dead) return;
    this.#waiting.push(passage);
    this.#waitingBytes += passage.bytes;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#syncing || this.#held) return;
    this.#scheduled = true;
    // Immediates run when every socket that had something has been read: one batch is what one turn brought, up to a
    // few hundred KiB in a large transfer, and a keystroke waits for nothing.
    setImmediate(() => {
      this.#scheduled = false;
      // While a batch is being synced, the end of that takes the next one.
      if (!this.#syncing && !this.#held) this.#flush();
    });
  }

  #flush(): void {
    if (this.#dead) return;
    const batch = this.#waiting;
    this.#waiting = [];
    const recordings = gather(batch);
    try {
      for (const [recording, frames] of recordings) recording.append(frames);
    } catch (error) {
      this.#fail(error, 'RECORDING_FAILED');
      return;
    }
    const strict = [...recordings.keys()].filter((recording) => recording.strict);
    if (strict.length === 0) {
      this.#deliver(batch);
      this.#announceIdle();
      return;
    }
    this.#syncing = true;
    Promise.all(strict.map((recording) => recording.sync())).then(
      () => this.#synced(batch),
      (error: unknown) => {
        this.#syncing = false;
        if (this.#dead) this.#announceIdle();
        else this.#fail(error, 'RECORDING_FAILED');
      },
    );
  }

  #synced(batch: readonly Passage[]): void {
    this.#syncing = false;
    if (!this.#dead) this.#deliver(batch);
    if (this.#waiting.length > 0 && !this.#held) this.#flush();
    else this.#announceIdle();
  }

  /** Runs outside of any caller, so that what is thrown here has nobody but the session to end. */
  #deliver(batch: readonly Passage[]): void {
    for (const { bytes } of batch) this.#waitingBytes -= bytes;
    this.#medium.cork();
    try {
      for (const passage of batch) {
        if (this.#dead) break;
        passage.deliver();
      }
    } catch (error) {
      this.#fail(error, 'INTERNAL');
    } finally {
      this.#medium.uncork();
    }
  }

  #fail(error: unknown, code: ErrorCode): void {
    if (this.#dead) return;
    this.stop();
    this.#failed(asSallyportError(error, code));
  }

  #announceIdle(): void {
    const listeners = this.#whenIdle;
    this.#whenIdle = [];
    for (const listener of listeners) listener();
  }
}

/** Both sides of the session, as far as the relay is concerned. */
export interface DeliveryMedium {
  cork(): void;
  uncork(): void;
}

interface Passage {
  recording: ChannelRecording | undefined;
  frames: readonly Frame[];
  deliver: () => void;
  bytes: number;
}

function gather(batch: readonly Passage[]): Map<ChannelRecording, Frame[]> {
  const gathered = new Map<ChannelRecording, Frame[]>();
  for (const { recording, frames } of batch) {
    if (recording === undefined) continue;
    const known = gathered.get(recording);
    if (known === undefined) gathered.set(recording, [...frames]);
    else known.push(...frames);
  }
  return gathered;
}
