import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { type Environment, readSecret } from '../identity/read-secret.ts';
import { describeReference, type SecretReference } from '../identity/secret-reference.ts';

/** Where the certificate of the HTTPS listener is kept. */
export interface CertificateReference {
  /** File with the server's own certificate and then those of its issuers, in PEM. */
  readonly chain: string;
  /** The private key in PEM, without a passphrase. */
  readonly key: SecretReference;
}

/** What a TLS server needs, in PEM, checked to belong together. */
export interface ServerCertificate {
  readonly chain: string;
  readonly key: string;
}

interface CertificateFault {
  readonly of: keyof CertificateReference;
  readonly problem: string;
  readonly mend: string;
}

/** Ten certificates of 8,192-bit RSA keys fit. */
const MAX_CHAIN_BYTES = 64 * 1024;

/** Read anew at each call, so that a renewed certificate counts after a reload. Its time is the listener's concern. */
export function readServerCertificate(
  reference: CertificateReference,
  environment: Environment = process.env,
): { readonly certificate: ServerCertificate } | { readonly faults: readonly CertificateFault[] } {
  const chain = readChain(reference.chain);
  const key = readKey(reference.key, environment);
  const faults = [chain, key].filter((read) => 'problem' in read);
  if ('problem' in chain || 'problem' in key) return { faults };
  if (!chain.first.checkPrivateKey(key.key)) {
    const problem = `the private key does not belong to the first certificate in ${reference.chain}`;
    return { faults: [{ of: 'key', problem, mend: "Name the key that the certificate was made for; the server's own comes first." }] };
  }
  return { certificate: { chain: chain.text, key: key.text } };
}

function readChain(path: string): { text: string; first: X509Certificate } | CertificateFault {
  const fault = (problem: string, mend: string): CertificateFault => ({ of: 'chain', problem, mend });
  let text: string;
  try {
    const stats = statSync(path);
    if (!stats.isFile() || stats.size > MAX_CHAIN_BYTES) {
      const problem = stats.isFile() ? `${path} has more than ${MAX_CHAIN_BYTES} bytes` : `${path} is not a regular file`;
      return fault(problem, 'Name a PEM file with the certificate of this server and its issuers.');
    }
    text = readFileSync(path, 'latin1');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    if (code !== 'ENOENT' && code !== 'ENOTDIR')
      return fault(`the file ${path} cannot be read (${code})`, 'Let the user who runs the gateway read it.');
    return fault(`there is no file ${path}`, 'Put it there, or correct the path, which is relative to the configuration file.');
  }
  try {
    const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    const [first] = blocks.map((block) => new X509Certificate(block));
    if (first !== undefined) return { text, first };
  } catch {
    return fault(`${path} holds a certificate that cannot be read`, 'Fetch or make it again.');
  }
  return fault(`${path} holds no certificate in PEM`, 'Convert it: openssl x509 -inform DER -in FILE -out NEW.');
}

function readKey(reference: SecretReference, environment: Environment): { text: string; key: KeyObject } | CertificateFault {
  const secret = readSecret(reference, environment);
  if ('problem' in secret) return { of: 'key', ...secret };
  try {
    return { text: secret.value, key: createPrivateKey(secret.value) };
  } catch {
    const encrypted = secret.value.includes('ENCRYPTED');
    const problem = `${describeReference(reference)} holds ${encrypted ? 'an encrypted private key' : 'no private key in PEM'}`;
    const mend = encrypted
      ? 'Take the passphrase off, and let only the user of the gateway read it: openssl pkey -in FILE -out NEW.'
      : 'Name the private key that the certificate was made for.';
    return { of: 'key', problem, mend };
  }
}
