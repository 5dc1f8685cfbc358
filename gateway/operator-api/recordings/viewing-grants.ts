import { SallyportError } from '../../base/errors.ts';

const HOUR = 3600_000;
/** The oldest go when there are more: then somebody has to open a recording again. */
const MOST_GRANTS = 10_000;

/** Which recording, and by which log-in or token: another log-in of the same operator may come from somewhere else. */
export interface Viewing {
  readonly token: string;
  readonly session: string;
  readonly channel: number;
}

/**
 * Who may read which recording without another record of it, because there is one of the last hour. Kept in memory: after
 * a restart of the gateway a recording is opened again, and recorded again.
 */
export class ViewingGrants {
  readonly #until = new Map<string, number>();
  readonly #now: () => number;

  /** `now`: monotonic milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** To be called when the record is durable. */
  give(viewing: Viewing): void {
    const key = keyOf(viewing);
    this.#until.delete(key);
    this.#until.set(key, this.#now() + HOUR);
    for (const [oldest, until] of this.#until) {
      if (this.#until.size <= MOST_GRANTS && until > this.#now()) break;
      this.#until.delete(oldest);
    }
  }

  /** Throws CONFLICT. */
  require(viewing: Viewing): void {
    const until = this.#until.get(keyOf(viewing));
    if (until !== undefined && until > this.#now()) return;
    throw new SallyportError(
      'CONFLICT',
      `the recording of channel ${viewing.channel} of session ${viewing.session} has not been opened by this log-in within the last hour`,
      { remedy: `open it first, which is recorded: POST /api/sessions/${viewing.session}/channels/${viewing.channel}/recording` },
    );
  }
}

function keyOf({ token, session, channel }: Viewing): string {
  return `${token} ${session} ${channel}`;
}
