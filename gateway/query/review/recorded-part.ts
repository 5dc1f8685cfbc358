import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { canonicalText } from '../../../contract/canonical.ts';
import type { SegmentPlace } from '../../store/segments-table.ts';

/** What there is of a session to review. */
export interface RecordedPart {
  /** SHA-256 of `reviewSubject` of contract/signed-statements.ts. */
  readonly subject: string;
  /** Of each channel that has a recording, how long it is: nanoseconds. */
  readonly durations: ReadonlyMap<number, number>;
}

interface Segments {
  segments: { pageOfSession(session: string, after: SegmentPlace | undefined, limit: number): Promise<SealedSegment[]> };
}

interface SealedSegment extends SegmentPlace {
  sha256: string;
  to: number;
}

const PAGE = 500;

/** In pages: a session may have very many segments, and the text of all of them would take its time. */
export async function readRecordedPart(database: Segments, session: string): Promise<RecordedPart> {
  const subject = new ReviewSubject(session);
  const durations = new Map<number, number>();
  let after: SegmentPlace | undefined;
  for (;;) {
    const page: SealedSegment[] = await database.segments.pageOfSession(session, after, PAGE);
    for (const row of page) {
      subject.add(row);
      durations.set(row.channel, Math.max(durations.get(row.channel) ?? 0, row.to));
    }
    after = page.at(-1);
    if (page.length < PAGE) return { subject: subject.digest(), durations };
    await nextTurn();
  }
}

/** The digest of `reviewSubject`, of segments in the order of channels and segments, without all of its text at once. */
export class ReviewSubject {
  readonly #hash = createHash('sha256').update('{"segments":[');
  readonly #session: string;
  #first = true;

  constructor(session: string) {
    this.#session = session;
  }

  add({ channel, segment, sha256 }: SegmentPlace & { sha256: string }): void {
    this.#hash.update(`${this.#first ? '' : ','}${canonicalText({ channel, segment, sha256 })}`);
    this.#first = false;
  }

  digest(): string {
    return this.#hash.update(`],"session":${canonicalText(this.#session)}}`).digest('hex');
  }
}
