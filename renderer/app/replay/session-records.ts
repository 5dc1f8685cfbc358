import { useQuery } from '@tanstack/react-query';
import type { OperationOutput } from '../../../contract/operator-api.ts';
import { type ReadRecord, readRecord } from '../../evidence/record-facts.ts';
import { ask } from '../client/ask.ts';
import type { Problem } from '../client/problem.ts';
import { useHost } from '../host/host-context.tsx';

type Told = OperationOutput<'session.records'>['records'][number];

/** A record of the session, as read and as it stands. Erased ones have nothing to read. */
export interface SessionRecord extends Told {
  readonly key: string;
  readonly read: ReadRecord | undefined;
}

export interface SessionRecords {
  readonly records: readonly SessionRecord[];
  /** There are more than are shown. */
  readonly more: boolean;
}

/** A session of days has thousands; beyond this the command line is the better place. */
const MOST_RECORDS = 20_000;
const PAGE = 1000;

/** What is on record of a session, all of it. `enabled`: what only sums it up waits until the recording is open. */
export function useSessionRecords(
  session: string,
  enabled = true,
): { data: SessionRecords | undefined; error: Problem | null; refetch: () => void } {
  const { transport } = useHost();
  const { data, error, refetch } = useQuery<SessionRecords, Problem>({
    queryKey: ['session.records', { session, whole: true }],
    enabled,
    queryFn: async () => {
      const records: SessionRecord[] = [];
      let cursor: string | undefined;
      do {
        const page = await ask(transport, 'session.records', { session, limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
        for (const told of page.records) records.push(recordOf(told, records.length));
        ({ cursor } = page);
      } while (cursor !== undefined && records.length < MOST_RECORDS);
      return { records, more: cursor !== undefined };
    },
  });
  return { data, error, refetch: () => void refetch() };
}

function recordOf(told: Told, place: number): SessionRecord {
  const read = told.record === null ? undefined : readRecord(told.index ?? -1, JSON.stringify(told.record));
  return { ...told, key: `${told.index ?? 'open'}:${place}`, read };
}

/** The newest record of a type; of an erased session there is none to read. */
export function recordOfType(records: readonly SessionRecord[], type: string): ReadRecord | undefined {
  return records.findLast((record) => record.type === type)?.read;
}
