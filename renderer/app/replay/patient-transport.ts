import { RecordingRefused } from '../../../contract/replay/recording-client.ts';
import type { RecordingTransport, SocketEvents, TransportAnswer, TransportQuestion } from '../../../contract/replay/recording-transport.ts';
import type { HostTransport } from '../host/host.ts';

const FIRST_WAIT_MILLIS = 400;
const LONGEST_WAIT_MILLIS = 5000;
/** Answers of a gateway that starts, stops, or has too much to do; and of what stands in front of one. */
const BUSY = [429, 502, 503, 504];

export interface TransportNews {
  /** Nobody answers, and it is asked again; or somebody does again. */
  reach(reached: boolean): void;
  /** The log-in has ended: nothing more is asked for. */
  loggedOut(): void;
}

/**
 * Waits for a gateway that does not answer, however long that takes. What could not be loaded is not what is missing in
 * the evidence, so it must never look like it: the player stands still until it is there.
 */
export class PatientTransport implements RecordingTransport {
  readonly #transport: HostTransport;
  readonly #news: TransportNews;
  readonly #waits = new Set<() => void>();
  #closed = false;
  #unanswered = 0;

  constructor(transport: HostTransport, news: TransportNews) {
    this.#transport = transport;
    this.#news = news;
  }

  readonly after = (millis: number, run: () => void): (() => void) => this.#transport.after(millis, run);

  async request(path: string, question: TransportQuestion): Promise<TransportAnswer> {
    for (let wait = FIRST_WAIT_MILLIS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MILLIS)) {
      const answer = await this.#transport.request(path, question).catch(() => undefined);
      if (this.#closed) {
        drop(answer);
        // Not to be asked for again by whoever waits for it.
        throw new RecordingRefused(0, 'INTERNAL', 'The recording is closed.');
      }
      if (answer?.status === 401) {
        drop(answer);
        this.#news.loggedOut();
        // Whoever asked waits; the screen that asks goes away with the log-in.
        return new Promise(() => undefined);
      }
      if (answer !== undefined && !BUSY.includes(answer.status)) {
        if (this.#unanswered > 0) this.#news.reach(true);
        this.#unanswered = 0;
        return answer;
      }
      drop(answer);
      this.#unanswered += 1;
      // One that was only busy for a moment is not worth a word.
      if (this.#unanswered === 2 || answer === undefined) this.#news.reach(false);
      await this.#pause(wait);
    }
  }

  connect(path: string, events: SocketEvents): { close(): void } {
    return this.#transport.connect(path, {
      message: (data) => {
        if (typeof data === 'string') events.message(data);
      },
      closed: (code, reason) => events.closed(code, reason),
    });
  }

  /** At once, instead of when the wait is over. */
  retry(): void {
    for (const go of [...this.#waits]) go();
  }

  close(): void {
    this.#closed = true;
    this.retry();
  }

  #pause(millis: number): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        cancel();
        this.#waits.delete(go);
        resolve();
      };
      const cancel = this.#transport.after(millis, go);
      this.#waits.add(go);
    });
  }
}

/** An answer that nobody reads keeps its connection, of which a browser has six. */
function drop(answer: TransportAnswer | undefined): void {
  void answer?.text().catch(() => undefined);
}
