import type { RecordBody } from '../../../contract/record.ts';
import { fault, type Place, type Report } from './finding.ts';

type Seal = RecordBody<'segment.sealed'>;

const STREAMS = ['i', 'o', 'e'] as const;

/** Whether the seals of one channel follow each other without a gap: numbers, times, and offsets of every stream. */
export class ChannelSeals {
  #last: { number: number; to: number; ends: Record<(typeof STREAMS)[number], number> } | undefined;
  /** Seals of different segments. */
  count = 0;

  take(seal: Seal, where: Place, report: Report): void {
    const last = this.#last;
    // A gateway that died after recording a seal and finds the file gone seals that stretch again: the later one holds.
    if (last !== undefined && seal.segment <= last.number) {
      if (seal.segment === last.number) this.#note(seal);
      return;
    }
    this.count += 1;
    this.#note(seal);
    const before = last ?? { number: 0, to: 0, ends: { i: 0, o: 0, e: 0 } };
    if (seal.segment !== before.number + 1) {
      const gone =
        seal.segment === before.number + 2 ? `segment ${before.number + 1}` : `segments ${before.number + 1} to ${seal.segment - 1}`;
      report(fault('gap', where, `The recording goes from segment ${before.number} to segment ${seal.segment}: no record seals ${gone}`));
      return;
    }
    if (seal.from !== before.to)
      report(
        fault('gap', where, `The segment begins ${seal.from} ns after the channel opened, and the one before it ended at ${before.to} ns`),
      );
    for (const name of STREAMS) {
      if (seal.streams[name].offset === before.ends[name]) continue;
      report(
        fault(
          'gap',
          where,
          `Stream ${name} of the segment begins at byte ${seal.streams[name].offset}, and the segments before it end at byte ${before.ends[name]}`,
        ),
      );
    }
    if (seal.to < seal.from) report(fault('inconsistent', where, `The segment ends (${seal.to} ns) before it begins (${seal.from} ns)`));
  }

  #note({ segment, to, streams }: Seal): void {
    const end = (name: (typeof STREAMS)[number]) => streams[name].offset + streams[name].bytes;
    this.#last = { number: segment, to, ends: { i: end('i'), o: end('o'), e: end('e') } };
  }
}
