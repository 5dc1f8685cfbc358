import type { ReactNode } from 'react';
import { FaultState, LoadingState } from '../../design/states.tsx';
import { type SessionRecords, useSessionRecords } from '../session-records.ts';

/** What a panel of records shows while it has none: that they come, or why they do not. */
export function WithRecords({ session, children }: { session: string; children: (records: SessionRecords) => ReactNode }) {
  const { data, error, refetch } = useSessionRecords(session);
  if (data !== undefined) return children(data);
  if (error !== null) return <FaultState problem={error} retry={refetch} title="The records could not be read" />;
  return <LoadingState what="Reading the records" />;
}
