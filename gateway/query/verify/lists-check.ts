import { canonicalBytes } from '../../ledger/canonical-json.ts';
import type { EvidenceReader, ProjectedRow } from '../../store/evidence-reader.ts';
import { ExpectedCounts, type SessionCounts } from './expected-counts.ts';
import type { ExpectedChannel, ExpectedSession } from './expected-rows.ts';
import { fault, type Place, type Report } from './finding.ts';
import { readRecord } from './record-form.ts';
import type { SealedFile } from './sealed-files.ts';
import type { SessionOutcome } from './session-records.ts';

const MOST_STRAYS = 1000;
const COUNTED_TOGETHER = 100;

/**
 * Compares the lists that the database keeps for quick answers, and which `sallyport sessions` and `show` print, with
 * what the records say.
 */
export class ListsCheck {
  readonly #reader: EvidenceReader;
  readonly #report: Report;

  constructor(reader: EvidenceReader, report: Report) {
    this.#reader = reader;
    this.#report = report;
  }

  async outcomes(outcomes: readonly SessionOutcome[]): Promise<void> {
    if (outcomes.length === 0) return;
    const rows = await this.#reader.projected(outcomes.map(({ session }) => session.id));
    const sessions = new Map(rows.sessions.map((row) => [row.id, row]));
    const segments = new Map(rows.segments.map((row) => [row.session, row.count]));
    const channels = new Map<unknown, ProjectedRow[]>();
    for (const row of rows.channels) channels.set(row.session, [...(channels.get(row.session) ?? []), row]);
    for (const outcome of outcomes) {
      const { id } = outcome.session;
      this.#compareSession(outcome.session, sessions.get(id));
      await this.#compareCounts(outcome, sessions.get(id));
      this.#compareChannels(id, outcome.channels, channels.get(id) ?? []);
      const listed = Number(segments.get(id) ?? 0);
      if (listed > outcome.segments)
        this.#report(
          fault(
            'inconsistent',
            { session: id },
            `The list of segments has ${listed} of this session, and records seal ${outcome.segments}`,
          ),
        );
    }
  }

  async segments(files: readonly SealedFile[]): Promise<void> {
    const sealed = files.filter(({ seal }) => seal !== undefined);
    if (sealed.length === 0) return;
    const found = await this.#reader.projectedSegments(sealed.map(({ session, channel, segment }) => [session, channel, segment] as const));
    const rows = new Map(found.map((row) => [keyOf(row), row]));
    for (const { index, session, channel, segment, file, bytes, sha256, seal } of sealed) {
      const where = { index, session, channel, segment };
      const row = rows.get(keyOf({ session, channel, segment }));
      if (row === undefined) {
        this.#report(fault('missing', where, 'The list of segments does not have this one'));
        continue;
      }
      // A later seal of the same segment holds, and is compared by itself.
      if (row.sha256 !== sha256 && (await this.#isSealedAgain(where))) continue;
      this.#compare(where, 'segments', row, { file, bytes, sha256, from_ns: seal?.from, to_ns: seal?.to, events: seal?.events });
    }
  }

  /** What the lists have and the records have not. `holds`: ids of those that the records say are in force. */
  async strays(holds: readonly string[]): Promise<void> {
    for (const { tableName, session } of await this.#reader.strays(MOST_STRAYS)) {
      const words = `The list of ${tableName} has a session that no record knows: its records were deleted, or the entry was planted`;
      this.#report(fault('missing', { session: String(session).slice(0, 80) }, words));
    }
    for (const { session, listed } of await this.#reader.falselyListed(MOST_STRAYS)) {
      const words =
        listed === 0
          ? 'The list of sessions does not have this one, which is erased'
          : 'The session is erased, and the lists still say something of it';
      this.#report(fault('inconsistent', { session }, words));
    }
    const recorded = new Set<unknown>(holds);
    const listed = new Set(await this.#reader.holdsInForce());
    for (const hold of recorded)
      if (!listed.has(hold))
        this.#report(
          fault(
            'inconsistent',
            {},
            `The hold ${String(hold)} is in force by the records, and the list of holds does not have it: what it protects could be erased`,
          ),
        );
    for (const hold of listed)
      if (!recorded.has(hold))
        this.#report(
          fault('inconsistent', {}, `The list of holds has ${String(hold).slice(0, 80)}, and by the records no such hold is in force`),
        );
  }

  async #isSealedAgain({
    index,
    session,
    channel,
    segment,
  }: {
    index: number;
    session: string;
    channel: number;
    segment: number;
  }): Promise<boolean> {
    const later = await this.#reader.recordsOfType(session, 'segment.sealed', index + 1);
    return later.some(({ bytes }) => {
      const text = Buffer.from(bytes).toString('utf8');
      return text.includes(`"segment":${segment},`) && text.includes(`"channel":${channel},`);
    });
  }

  #compareSession(expected: ExpectedSession, row: ProjectedRow | undefined): void {
    if (row === undefined) {
      this.#report(fault('missing', { index: expected.seq - 1, session: expected.id }, 'The list of sessions does not have this one'));
      return;
    }
    this.#compare({ index: expected.seq - 1, session: expected.id }, 'sessions', row, expected);
  }

  /** What else is said of a session before it opens, and when it is over, is read where the list does not agree without it. */
  async #compareCounts({ session: { id, seq }, counts }: SessionOutcome, row: ProjectedRow | undefined): Promise<void> {
    // A database of a former version has none.
    if (row === undefined || !('actions' in row)) return;
    const agree = Object.entries(counts).every(([column, value]) => row[column] === value);
    const expected = agree ? undefined : await this.#countAll(id);
    if (expected !== undefined) this.#compare({ index: seq - 1, session: id }, 'sessions', row, expected);
  }

  /** Undefined where one of its records does not say what it said, which is told where it stands. */
  async #countAll(session: string): Promise<SessionCounts | undefined> {
    const expected = new ExpectedCounts();
    let after = 0;
    for (;;) {
      const page = await this.#reader.recordsOf(session, after, COUNTED_TOGETHER);
      for (const { bytes } of page) {
        const read = bytes === null ? undefined : readRecord(bytes);
        if (read?.state !== 'record') return undefined;
        expected.take(read.record);
      }
      after = page.at(-1)?.seq ?? after;
      if (page.length < COUNTED_TOGETHER) return expected.counts;
    }
  }

  #compareChannels(session: string, expected: readonly ExpectedChannel[], rows: readonly ProjectedRow[]): void {
    const found = new Map(rows.map((row) => [row.channel, row]));
    for (const channel of expected) {
      const where = { session, channel: channel.channel };
      const row = found.get(channel.channel);
      found.delete(channel.channel);
      if (row === undefined) {
        this.#report(fault('missing', where, 'The list of channels does not have this one'));
        continue;
      }
      this.#compare(
        where,
        'channels',
        { ...row, detail: canonicalOr(row.detail) },
        { ...channel, detail: canonicalBytes(channel.detail).toString('utf8') },
      );
    }
    for (const channel of found.keys())
      this.#report(fault('added', { session }, `The list of channels has channel ${String(channel).slice(0, 20)}, which no record opens`));
  }

  #compare(where: Place, table: string, row: ProjectedRow, expected: object): void {
    for (const [column, value] of Object.entries(expected)) {
      if (row[column] === value) continue;
      const words = `The list of ${table} says ${column} is ${shown(row[column])}, and by the records it is ${shown(value)}`;
      this.#report(fault('inconsistent', where, words));
    }
  }
}

function keyOf(row: ProjectedRow): string {
  return `${String(row.session)}/${String(row.channel)}/${String(row.segment)}`;
}

function canonicalOr(detail: unknown): unknown {
  try {
    return canonicalBytes(JSON.parse(String(detail))).toString('utf8');
  } catch {
    return detail; // It is not what the records say, whatever it is.
  }
}

function shown(value: unknown): string {
  return value === null || value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 120);
}
