import { SallyportError } from '../../base/errors.ts';

const HOUR = 3600_000;
/** As long as somebody stays logged in. */
const OPENED = 12 * HOUR;
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
  /** What a log-in has opened, also when that is longer ago: somebody may play for hours what they have by then. */
  readonly #opened = new Map<string, number>();
  /** By log-in and session: who is on record for having looked at anything of it. */
  readonly #looked = new Map<string, number>();
  readonly #now: () => number;

  /** `now`: monotonic milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** To be called when the record is durable. */
  give(viewing: Viewing): void {
    this.#note(this.#until, keyOf(viewing));
    this.#note(this.#opened, keyOf(viewing), OPENED);
    this.look(viewing);
  }

  /** As `give`, of somebody who looked at what is on record of a session, which opens none of its recordings. */
  look({ token, session }: Pick<Viewing, 'token' | 'session'>): void {
    this.#note(this.#looked, `${token} ${session}`);
  }

  /** Whether it is on record that this log-in has looked at the session within the last hour. */
  hasLooked({ token, session }: Pick<Viewing, 'token' | 'session'>): boolean {
    return (this.#looked.get(`${token} ${session}`) ?? Number.NEGATIVE_INFINITY) > this.#now();
  }

  /** Whether this log-in has had the recording: what it never had, it cannot have shown. */
  hasOpened(viewing: Viewing): boolean {
    return (this.#opened.get(keyOf(viewing)) ?? Number.NEGATIVE_INFINITY) > this.#now();
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

  #note(grants: Map<string, number>, key: string, millis: number = HOUR): void {
    grants.delete(key);
    grants.set(key, this.#now() + millis);
    for (const [oldest, until] of grants) {
      if (grants.size <= MOST_GRANTS && until > this.#now()) break;
      grants.delete(oldest);
    }
  }
}

function keyOf({ token, session, channel }: Viewing): string {
  return `${token} ${session} ${channel}`;
}
