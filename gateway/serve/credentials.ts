import { createPrivateKey, type KeyObject } from 'node:crypto';
import { type Clock, isoMicros } from '../base/clock.ts';
import { SallyportError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { UsedOnce } from '../base/used-once.ts';
import type { Config } from '../config/types.ts';
import { CertificateAuthority } from '../identity/certificate-authority.ts';
import type { CertificateTrust } from '../identity/identify-certificate.ts';
import { readSecret } from '../identity/read-secret.ts';
import { MAX_LIST_BYTES, parseRevocationList, type RevocationList } from '../identity/revocation-list.ts';
import { RevokedCertificates } from '../identity/revoked-certificates.ts';
import { verifyingKeys } from '../identity/workload-keys.ts';
import type { CredentialsInForce } from '../session/credentials.ts';
import { makeAuthorityKeyOnce, publishAuthorityKey } from '../store/authority-key.ts';
import type { Database } from '../store/database.ts';
import { readAtMost } from '../store/read-at-most.ts';

/** The gateway's own authority, and which certificates and tokens are believed. */
export interface Credentials {
  readonly authority: CertificateAuthority;
  readonly revoked: RevokedCertificates;
  /** Of a configuration that comes into force. Reads its revocation list; one that can't be read is told in the log. */
  trustOf(config: Config, admitUnlisted?: boolean): Promise<CertificateTrust>;
  /** The same for what certificates are given for. Fetched keys of issuers are kept as long as the result is. */
  exchangeOf(config: Config, admitUnlisted?: boolean): CredentialsInForce;
}

export async function openCredentials(
  dataDirectory: string,
  { database, clock, log }: { readonly database: Pick<Database, 'certificates'>; readonly clock: Clock; readonly log: Log },
): Promise<Credentials> {
  const authority = new CertificateAuthority(readAuthorityKey(await makeAuthorityKeyOnce(dataDirectory)));
  await publishAuthorityKey(dataDirectory, authority.line);
  const revoked = new RevokedCertificates(await database.certificates.revoked(isoMicros(clock.wallMicros())));
  const spent = new UsedOnce(100_000);
  return {
    authority,
    revoked,
    trustOf: async ({ certificates, workloads }, admitUnlisted = false) => ({
      own: authority.blob,
      authorities: new Map(certificates.authorities.map(({ name, key }) => [key.fingerprint, { name, blob: key.blob }])),
      ...(certificates.revoked === undefined ? {} : { revocations: await readRevocations(certificates.revoked, log) }),
      isRevoked: (serial) => revoked.has(serial),
      admitUnlisted,
      delegates: (workload, agent) =>
        workloads.some(({ name, agents }) => name === workload && agents.some((entry) => entry.agent === agent && entry.delegation)),
    }),
    exchangeOf: ({ principals, certificates, workloads }, admitUnlisted = false) => ({
      principals,
      issuers: workloads.map((workload) => ({ workload, keys: verifyingKeys(workload.keys) })),
      spent,
      lifetimes: certificates,
      admitUnlisted,
    }),
  };
}

function readAuthorityKey(file: string): KeyObject {
  const secret = readSecret({ file });
  let problem = 'problem' in secret ? secret.problem : `the file ${file} holds no Ed25519 private key in PEM`;
  if ('value' in secret) {
    try {
      const key = createPrivateKey(secret.value);
      if (key.asymmetricKeyType === 'ed25519') return key;
    } catch {
      // The reason that OpenSSL gives is not told: it might repeat what it could not read.
      problem = `the file ${file} holds no private key`;
    }
  }
  throw new SallyportError('DATA_DIRECTORY_INVALID', `the key of the gateway's certificate authority cannot be used: ${problem}`, {
    remedy: 'problem' in secret ? secret.mend : 'restore it from a copy of the data directory, or remove it, and a new authority is made',
  });
}

/** Fails closed: while it is not known who is on the list, nobody's certificate is taken. */
async function readRevocations(file: string, log: Log): Promise<RevocationList | 'unreadable'> {
  let fault: string;
  try {
    const bytes = await readAtMost(file, MAX_LIST_BYTES);
    if (bytes === undefined) fault = 'there is no such file';
    else if (bytes === 'other') fault = 'it is not a regular file';
    else {
      const read = parseRevocationList(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
      if ('list' in read) {
        log.info({ file, sections: read.list.sections }, 'the revocation list was read');
        return read.list;
      }
      fault = read.fault;
    }
  } catch (error) {
    fault = error instanceof Error ? error.message : String(error);
  }
  log.error(
    { code: 'CERTIFICATE_INVALID', file },
    `the revocation list cannot be used, and until it can, no certificate is taken: ${fault}`,
  );
  return 'unreadable';
}
