import type { OperationInput, OperationOutput } from '../../../contract/operator-api.ts';
import { SallyportError } from '../../base/errors.ts';
import { Stretches } from '../../query/review/stretches.ts';
import type { Asking } from '../operations.ts';
import { Pace } from '../pace.ts';
import type { RecordingParts } from '../recordings/recording-parts.ts';
import type { Viewing } from '../recordings/viewing-grants.ts';
import { recordView, type ViewParts } from '../view-operations.ts';
import { recordedLength } from './recorded-length.ts';

/** Reports of one operator. A player sends one every few seconds at most. */
const PACE = { burst: 60, perMinute: 30 };
/** What was recorded lately, so that the same is not recorded again: channels by log-in, and stretches of each. */
const MOST_REMEMBERED = 500;
const MOST_STRETCHES = 500;
const REMEMBERED_MILLIS = 3600_000;
/** Players round, and the clock of a running channel goes on while a report is on its way. */
const LEEWAY_NANOS = 1_000_000_000;

export interface ViewReportParts extends ViewParts, Pick<RecordingParts, 'reading' | 'running' | 'grants'> {
  /** Monotonic milliseconds; for tests. */
  readonly now?: () => number;
}

interface Remembered {
  readonly stretches: Stretches;
  readonly since: number;
}

/**
 * What clients say they have shown of recordings. Each that says something new is a record, durable before it is answered.
 * A part that has been recorded for this log-in within the hour is not recorded again, however often it is reported.
 */
export class ViewReports {
  readonly #parts: ViewReportParts;
  readonly #pace: Pace;
  readonly #now: () => number;
  readonly #remembered = new Map<string, Remembered>();

  constructor(parts: ViewReportParts) {
    this.#parts = parts;
    this.#now = parts.now ?? (() => performance.now());
    this.#pace = new Pace(PACE, this.#now);
  }

  async take(input: OperationInput<'view.recorded'>, asking: Asking): Promise<OperationOutput<'view.recorded'>> {
    const { operator } = asking;
    // Whoever reads the files on this machine is told by its own command.
    if (operator === undefined) return recordView(input, asking, this.#parts);
    const { session, how, channel, from, to } = input;
    if (from === undefined && to === undefined) {
      this.#pace.take(operator.name, 'reports of what was shown');
      return recordView(input, asking, this.#parts);
    }
    if (channel === undefined || from === undefined || to === undefined)
      throw new SallyportError('REQUEST_INVALID', 'a part of a recording is a channel, from and to');
    if (from >= to) throw new SallyportError('REQUEST_INVALID', 'to: it has to be later than from');
    // What is said to have been played counts as watched.
    if (how === 'play') this.#requireOpened({ token: operator.token, session, channel });
    const end = await this.#endOf(session, channel, to);
    if (from >= end) throw new SallyportError('REQUEST_INVALID', `from: channel ${channel} has no more than ${end} ns`);
    const key = `${operator.token} ${how} ${session} ${channel}`;
    const { stretches } = this.#remember(key);
    if (stretches.covers(from, end)) return {};
    this.#pace.take(operator.name, 'reports of what was shown');
    await recordView({ ...input, to: end }, asking, this.#parts);
    stretches.add(from, end);
    return {};
  }

  #requireOpened(viewing: Viewing): void {
    if (this.#parts.grants.hasOpened(viewing)) return;
    const { session, channel } = viewing;
    throw new SallyportError('CONFLICT', `this log-in has never opened the recording of channel ${channel} of session ${session}`, {
      remedy: `whoever plays a recording opens it first: POST /api/sessions/${session}/channels/${channel}/recording`,
    });
  }

  async #endOf(session: string, channel: number, to: number): Promise<number> {
    const length = await recordedLength(this.#parts, session, channel);
    if (to > length + LEEWAY_NANOS)
      throw new SallyportError('REQUEST_INVALID', `to: channel ${channel} of the session has ${length} ns, and not ${to}`, {
        remedy: 'report nanoseconds since the channel opened, of what was shown',
      });
    return Math.min(to, length);
  }

  #remember(key: string): Remembered {
    const now = this.#now();
    const known = this.#remembered.get(key);
    const remembered =
      known !== undefined && now - known.since < REMEMBERED_MILLIS ? known : { stretches: new Stretches(MOST_STRETCHES), since: now };
    this.#remembered.delete(key);
    this.#remembered.set(key, remembered);
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > MOST_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest);
    return remembered;
  }
}
