import { createPrivateKey, type KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import { link, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { SallyportError } from '../base/errors.ts';
import { type SelfSigned, selfSigned } from './self-signed.ts';

const DAY = 86_400_000;
/** What browsers accept at most is 398 days. */
const VALID_DAYS = 397;
const RENEWED_DAYS_BEFORE = 30;
/** The clocks of clients may be behind. */
const CLOCK_SKEW = DAY;

/** What a TLS server shows: PEM, the server's own certificate first. */
export interface ServerCertificate {
  readonly chain: string;
  readonly key: string;
}

/**
 * The certificate that the gateway makes for itself: `keys/https.key` and `keys/https.crt` of the data directory. The
 * key is made once. The certificate is made anew when it is about to expire or lacks one of `names`, or is damaged.
 */
export async function loadOrMakeCertificate(dataDirectory: string, names: readonly string[], now: Date): Promise<ServerCertificate> {
  const keyFile = join(dataDirectory, 'keys', 'https.key');
  const certificateFile = join(dataDirectory, 'keys', 'https.crt');
  const key = await loadOrMakeKey(keyFile);
  const existing = await readIfThere(certificateFile);
  if (existing !== undefined && isGood(existing, key, names, now)) return { chain: existing, key: pemOf(key) };
  const { certificate } = make(names, now, key);
  const beside = besides(certificateFile);
  await writeFile(beside, certificate, { mode: 0o644, flag: 'wx' });
  await rename(beside, certificateFile);
  return { chain: certificate, key: pemOf(key) };
}

/** What clients on this machine and elsewhere may call a server that listens on `host`. */
export function namesOf(host: string): string[] {
  const wildcard = host === '0.0.0.0' || host === '::';
  const own = hostname();
  const names = [...(wildcard ? [] : [host]), ...(/^[A-Za-z0-9._-]{1,253}$/.test(own) ? [own] : []), 'localhost', '127.0.0.1', '::1'];
  return [...new Set(names)];
}

/** SHA-256 of the first certificate, in the form of browsers and of `openssl x509 -fingerprint -sha256`. */
export function fingerprintOf(certificate: ServerCertificate): string {
  return new X509Certificate(certificate.chain).fingerprint256;
}

function make(names: readonly string[], now: Date, key?: KeyObject): SelfSigned {
  const [commonName = 'sallyport'] = names;
  const notBefore = new Date(now.getTime() - CLOCK_SKEW);
  const notAfter = new Date(notBefore.getTime() + VALID_DAYS * DAY);
  return selfSigned({ ...(key === undefined ? {} : { key }), commonName, names, notBefore, notAfter });
}

function isGood(pem: string, key: KeyObject, names: readonly string[], now: Date): boolean {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    return false; // Damaged: it is made anew, and nothing is lost.
  }
  const left = certificate.validToDate.getTime() - now.getTime();
  if (certificate.validFromDate > now || left < RENEWED_DAYS_BEFORE * DAY || !certificate.checkPrivateKey(key)) return false;
  return names.every((name) => (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined);
}

/** Two starts at the same moment end up with the same key: it is written whole beside its place, and the first one stays. */
async function loadOrMakeKey(path: string): Promise<KeyObject> {
  const existing = await readIfThere(path);
  if (existing !== undefined) return parseKey(existing, path);
  const beside = besides(path);
  await writeFile(beside, make([], new Date()).key, { mode: 0o600, flag: 'wx' });
  try {
    await link(beside, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(beside);
  }
  return parseKey(await readFile(path, 'utf8'), path);
}

function parseKey(pem: string, path: string): KeyObject {
  let cause: unknown;
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key;
  } catch (error) {
    cause = error;
  }
  throw new SallyportError('DATA_DIRECTORY_INVALID', `the key of the HTTPS listener, ${path}, is not a P-256 key in PEM`, {
    remedy: 'restore it from a copy of the data directory, or remove it: then a new one is made, which clients have to be told of',
    ...(cause === undefined ? {} : { cause }),
  });
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function besides(path: string): string {
  return `${path}.${randomBytes(6).toString('hex')}`;
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
