import canonicalize from 'canonicalize';
import { z } from 'zod';
import { SallyportError } from '../base/errors.ts';

/*
 * Who a certificate of the gateway's own authority is for, as the gateway knew them when it made it. It stands in a critical
 * option, so that no other SSH server lets its holder in: one whose administrators trust this authority would otherwise be
 * reached past the gateway, and unrecorded.
 */

const name = z.string().min(1).max(255);

const certifiedIdentity = z.strictObject({
  principal: name,
  kind: z.enum(['human', 'agent']),
  onBehalfOf: name.optional(),
  groups: z.array(name).max(1000),
  /** Whether the configuration named the principal; if not, only the certificate knows them. */
  listed: z.boolean(),
  /** The only targets that it is good for. */
  targets: z.array(name).max(100).optional(),
  /** How it came about. */
  proof: z.strictObject({
    method: z.string().max(64),
    /** With `workload-token`: the entry of `workloads` that vouched for the agent, and on whose word it acts for somebody. */
    workload: name.optional(),
    delegated: z.boolean().optional(),
    /** With an identity provider: see `authentication.provider` of a record. */
    provider: z
      .strictObject({
        issuer: z.string().max(2000),
        subject: z.string().max(1000),
        amr: z.array(z.string().max(255)).max(100).optional(),
        acr: z.string().max(255).optional(),
      })
      .optional(),
  }),
});
export type CertifiedIdentity = z.infer<typeof certifiedIdentity>;

/** Throws CREDENTIAL_REFUSED where there is more to say than fits. */
export function writeIdentity(identity: CertifiedIdentity): string {
  const checked = certifiedIdentity.safeParse(identity);
  const text = checked.success ? canonicalize(checked.data) : undefined;
  if (text !== undefined) return text;
  const [issue] = checked.error?.issues ?? [];
  throw new SallyportError(
    'CREDENTIAL_REFUSED',
    `a certificate cannot say this of ${identity.principal}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
    {
      remedy: 'have the identity provider give fewer groups and shorter claims',
    },
  );
}

/** Undefined for anything that `writeIdentity` would not have written, to the byte. */
export function readIdentity(text: string): CertifiedIdentity | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const read = certifiedIdentity.safeParse(value);
  return read.success && canonicalize(read.data) === text ? read.data : undefined;
}
