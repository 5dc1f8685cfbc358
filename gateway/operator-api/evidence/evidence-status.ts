import type { OperationOutput } from '../../../contract/operator-api.ts';
import { isoMicros } from '../../base/clock.ts';
import { formatVerifierKey } from '../../ledger/signed-note.ts';
import type { Database } from '../../store/database.ts';
import type { EvidenceDeskParts } from './evidence-parts.ts';
import type { Verifications } from './verifications.ts';

type Status = OperationOutput<'evidence.status'>;
type Counted = Pick<Status, 'first' | 'growth' | 'sessions' | 'recovered' | 'erased' | 'held'>;

const DAYS = 30;
const DAY_MILLIS = 86_400_000;
/** Counting goes over all sessions: what was counted is told again for so long. */
const KEPT_MILLIS = 10_000;

/** How the ledger stands. What is counted over everything is counted now and then, however many ask. */
export class EvidenceStatus {
  readonly #parts: EvidenceDeskParts;
  readonly #verifications: Pick<Verifications, 'last'>;
  #counted: { readonly at: number; readonly counts: Promise<Counted> } | undefined;

  constructor(parts: EvidenceDeskParts, verifications: Pick<Verifications, 'last'>) {
    this.#parts = parts;
    this.#verifications = verifications;
  }

  async show(): Promise<Status> {
    const { ledger } = this.#parts;
    const { head, signedAt } = ledger;
    const { last } = this.#verifications;
    return {
      origin: ledger.key.name,
      key: formatVerifierKey(ledger.key),
      size: head.size,
      checkpoint: head.note,
      signed: signedAt === undefined ? null : isoMicros(signedAt),
      ...(await this.#counts()),
      verification: last === undefined ? null : { ...last },
    };
  }

  #counts(): Promise<Counted> {
    const now = performance.now();
    if (this.#counted === undefined || now - this.#counted.at > KEPT_MILLIS) {
      const counts = this.#count();
      this.#counted = { at: now, counts };
      counts.catch(() => {
        this.#counted = undefined;
      });
    }
    return this.#counted.counts;
  }

  async #count(): Promise<Counted> {
    const database = await this.#parts.reading();
    const { sessions, recovered, erased } = await database.sessions.countByState();
    const [first] = await database.records.after(0, 1);
    return {
      first: first?.time ?? null,
      growth: await growthOf(database, this.#parts.clock.wallMicros() / 1000),
      sessions,
      recovered,
      erased,
      held: await database.overviews.count({ flag: 'held' }),
    };
  }
}

/** By the places of the first records of days, so that no record has to be counted. */
async function growthOf(database: Database, now: number): Promise<Status['growth']> {
  const today = Math.floor(now / DAY_MILLIS) * DAY_MILLIS;
  const days = Array.from({ length: DAYS }, (_, index) => today - (DAYS - 1 - index) * DAY_MILLIS);
  const end = (await database.period.newest()) + 1;
  const places = await database.period.placesOfTimes(days);
  return days.map((day, index) => {
    const next = places[index + 1] ?? end;
    return { day: new Date(day).toISOString().slice(0, 10), records: Math.max(0, next - (places[index] ?? end)) };
  });
}
