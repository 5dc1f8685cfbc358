import type { OperationInput, OperationOutput } from '../../contract/operator-api.ts';
import type { Actor } from '../../contract/record.ts';
import type { Records } from '../ledger/records.ts';

export interface SearchRecording {
  readonly records: Pick<Records, 'append'>;
  readonly gatewayName: string;
}

/** Puts on record what somebody looked for in what others did. What was found is told when that is durable. */
export async function recordSearch(
  query: Readonly<Record<string, unknown>>,
  results: number,
  actor: Actor,
  { records, gatewayName }: SearchRecording,
): Promise<void> {
  const target = { name: gatewayName, kind: 'gateway' } as const;
  const asked = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
  await records.append({ type: 'access.searched', outcome: 'success', actor, target, body: { query: asked, results } });
}

/** For a command that has searched the files itself. */
export async function recordLocalSearch(
  { query, results }: OperationInput<'search.recorded'>,
  actor: Actor,
  parts: SearchRecording,
): Promise<OperationOutput<'search.recorded'>> {
  await recordSearch(query, results, actor, parts);
  return {};
}
