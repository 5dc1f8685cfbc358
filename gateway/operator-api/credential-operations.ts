import type { OperationInput, OperationOutput } from '../../contract/operator-api.ts';
import { SallyportError } from '../base/errors.ts';
import { type CertificateAsker, type CredentialParts, giveCertificate } from '../session/credentials.ts';
import type { Asking } from './operations.ts';

/** What the operations of this file work on. */
export interface CredentialOperationParts extends CredentialParts {
  /** The gateway's host key, as known_hosts has it. */
  readonly hostKey: string;
  /** Serial numbers that are revoked, for the log-ins of this gateway. */
  readonly revoked: { add(serial: string): void };
  /** What is known of issued certificates. */
  readonly certificates: { validTo(serial: string): Promise<string | undefined> };
}

/** What does the operations `credential.*` of contract/operator-api.ts. */
export function credentialOperations(parts: CredentialOperationParts) {
  return {
    'credential.issue': (
      input: OperationInput<'credential.issue'>,
      asking: CertificateAsker,
    ): Promise<OperationOutput<'credential.issue'>> => giveCertificate(input, asking, parts),
    'credential.revoke': (input: OperationInput<'credential.revoke'>, asking: Pick<Asking, 'actor'>) => revoke(input, asking, parts),
    'credential.authority': (): Promise<OperationOutput<'credential.authority'>> =>
      Promise.resolve({ authority: parts.authority.line, hostKey: parts.hostKey }),
  };
}

/** Counts from the next log-in on. Sessions that run already go on: session.terminate and lock.set end those. */
async function revoke(
  { serial: written, reason }: OperationInput<'credential.revoke'>,
  { actor }: Pick<Asking, 'actor'>,
  { certificates, revoked, records, gatewayName }: CredentialOperationParts,
): Promise<OperationOutput<'credential.revoke'>> {
  const serial = String(BigInt(written));
  if ((await certificates.validTo(serial)) === undefined) {
    throw new SallyportError('NOT_FOUND', `this gateway has issued no certificate with the serial number ${serial}`, {
      remedy: 'look at the serial with ssh-keygen -L -f FILE-cert.pub; those of other authorities go into certificates.revoked',
    });
  }
  await records.append({
    type: 'credential.revoked',
    outcome: 'success',
    actor,
    target: { name: gatewayName, kind: 'gateway' },
    body: { credential: 'ssh-certificate', id: serial, reason },
  });
  revoked.add(serial);
  return {};
}
