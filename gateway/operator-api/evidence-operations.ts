import type { OperationInput, OperationOutput } from '../../contract/operator-api.ts';
import { type Clock, isoMicros } from '../base/clock.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Records } from '../ledger/records.ts';
import type { Asking } from './operations.ts';

/** What the operations of this file work on. */
export interface EvidenceParts {
  readonly records: Pick<Records, 'append' | 'flush'>;
  readonly ledger: Pick<Ledger, 'signed' | 'attest'>;
  readonly clock: Clock;
  /** How the gateway calls itself, and which version it is. */
  readonly gateway: { readonly name: string; readonly version: string };
}

/** Covers what has been appended by now, also what is still on its way to the disk. */
export async function signLedger({ records, ledger }: EvidenceParts): Promise<OperationOutput<'ledger.sign'>> {
  await records.flush();
  const { note } = await ledger.signed();
  return { checkpoint: note };
}

export async function recordExport(
  input: OperationInput<'export.recorded'>,
  { actor }: Asking,
  { records, gateway }: EvidenceParts,
): Promise<OperationOutput<'export.recorded'>> {
  const { index } = await records.append({
    type: 'access.exported',
    outcome: 'success',
    actor,
    target: { name: gateway.name, kind: 'gateway' },
    body: input,
  });
  return { index };
}

/** The statement is worded here and names this gateway and this moment: the caller chooses what it is about, no more. */
export async function signBundle(
  input: OperationInput<'attestation.sign'>,
  { ledger, clock, gateway }: EvidenceParts,
): Promise<OperationOutput<'attestation.sign'>> {
  return { envelope: ledger.attest({ ...input, gateway: { ...gateway }, time: isoMicros(clock.wallMicros()) }) };
}
