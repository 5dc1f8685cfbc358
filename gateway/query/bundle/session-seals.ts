import type { RecordBody } from '../../../contract/record.ts';
import type { ChannelRow } from '../../../contract/session.ts';
import type { Database } from '../../store/database.ts';
import { parseDisclosed } from './disclosed-records.ts';
import type { SelectedSession } from './selection.ts';

export type Seal = RecordBody<'segment.sealed'>;

/** What the records of one session say, as of the checkpoint. */
export interface SessionFacts {
  /** Whether its end is among them. */
  ended: boolean;
  channels: ChannelFacts[];
}

export interface ChannelFacts {
  row: ChannelRow;
  /** In the order of their numbers; the last seal of a number holds. */
  seals: Seal[];
}

const PAGE = 500;

/** Reads a session's records up to `size`. Memory: what is told of its segments. */
export async function sessionFacts(database: Database, { row }: SelectedSession, size: number): Promise<SessionFacts> {
  const channels = new Map<number, { opened: string; kind: string; detail: Record<string, unknown>; seals: Map<number, Seal> }>();
  let ended = false;
  const channelOf = (channel: number, time: string) => {
    const known = channels.get(channel) ?? { opened: time, kind: 'session', detail: {}, seals: new Map<number, Seal>() };
    channels.set(channel, known);
    return known;
  };
  for (let after = 0; ; ) {
    const page = await database.records.ofSession(row.id, after, PAGE);
    for (const { seq, bytes } of page) {
      after = seq;
      if (seq > size || bytes === null) continue;
      const record = parseDisclosed(seq - 1, bytes);
      if (record === undefined) continue;
      if (record.type === 'session.close' || record.type === 'session.recovered') ended = true;
      if (record.type === 'channel.open') {
        const known = channelOf(record.body.channel, record.time);
        known.kind = record.body.kind;
        known.detail = record.body.detail;
      }
      if (record.type === 'segment.sealed') channelOf(record.body.channel, record.time).seals.set(record.body.segment, record.body);
    }
    if (page.length < PAGE || after > size) break;
  }
  const inOrder = [...channels].sort(([a], [b]) => a - b);
  return {
    ended,
    channels: inOrder.map(([channel, { opened, kind, detail, seals }]) => ({
      row: {
        session: row.id,
        channel,
        kind,
        detail,
        opened,
        closed: null,
        exit: null,
        bytes: { i: 0, o: 0, e: 0 },
        reason: null,
      },
      seals: [...seals.values()].sort((a, b) => a.segment - b.segment),
    })),
  };
}
