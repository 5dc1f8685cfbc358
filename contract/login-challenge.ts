import { z } from 'zod';

/** The namespace of log-ins (OpenSSH, PROTOCOL.sshsig), so that a signature made for something else is none. */
export const LOGIN_NAMESPACE = 'sallyport-login';

/**
 * What an operator signs in order to log in, as canonical JSON. It names the gateway twice, by its ledger and by the
 * certificate that it shows, so that nobody who stands between can use the signature elsewhere: whoever signs compares
 * the certificate with the one that it sees.
 */
export const loginChallengeSchema = z.strictObject({
  type: z.literal('sallyport log-in'),
  version: z.literal(1),
  /** Of the ledger. */
  origin: z.string(),
  /** SHA-256 of the TLS certificate, as browsers write it. */
  certificate: z.string(),
  operator: z.string(),
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
  expires: z.string(),
  /** By which the gateway knows its own challenge again. */
  mac: z.string().regex(/^[0-9a-f]{64}$/),
});
export type LoginChallenge = z.infer<typeof loginChallengeSchema>;
