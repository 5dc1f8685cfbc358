import { resolve } from 'node:path';
import type { z } from 'zod';
import { parseSshPublicKey } from '../identity/ssh-public-key.ts';
import { duration, filePath, list, principalName, section, text } from './leaves.ts';
import type { CertificatesConfig } from './types.ts';

const DAY = 86_400;

/** Where a certificate is not taken, its authority is no use either. */
const authorityKey = text('Write the line of the authority\'s .pub file, for example "ssh-ed25519 AAAA… ca".', (line) => {
  const parsed = parseSshPublicKey(line);
  if ('fault' in parsed) return { problem: parsed.fault };
  if (parsed.key.algorithm.startsWith('sk-')) return { problem: 'a security key cannot be an authority here' };
  return { value: parsed.key };
});

const authority = section(
  { name: principalName(), key: authorityKey },
  'Write a section, for example { name: company, key: "ssh-ed25519 AAAA… ca" }.',
);

export const certificatesSchema = section(
  {
    authorities: list(authority, 'Write a list, for example authorities: [{ name: company, key: "ssh-ed25519 AAAA… ca" }].').default([]),
    revoked: filePath('Name the list that ssh-keygen -k writes, for example revoked: revoked.krl.').optional(),
    lifetime: duration(30, DAY).default(900),
    longest: duration(30, DAY).default(3600),
  },
  'Write a section, for example certificates: { authorities: [{ name: company, key: "ssh-ed25519 AAAA… ca" }], revoked: revoked.krl }.',
);

export function certificatesOf(read: z.infer<typeof certificatesSchema>, directory: string): CertificatesConfig {
  const { authorities, revoked, lifetime, longest } = read;
  return {
    authorities,
    ...(revoked === undefined ? {} : { revoked: resolve(directory, revoked) }),
    lifetimeSeconds: lifetime,
    longestSeconds: longest,
  };
}
