import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { type KeyPair, type KeyType, makeKey } from './keys.ts';
import { run } from './run.ts';

/** What ssh-keygen is told of a certificate. */
export interface CertificateOptions {
  ca: KeyPair;
  key: KeyPair;
  id?: string;
  principals?: readonly string[];
  serial?: number | bigint;
  /** As `-V` takes it. */
  validity?: string;
  host?: boolean;
  /** As `-O` takes them. */
  options?: readonly string[];
  /** How an RSA authority signs. */
  signature?: string;
}

/** Has ssh-keygen certify a key, as whoever runs an authority would. Gives the path of the certificate, beside the key. */
export async function certify(options: CertificateOptions): Promise<string> {
  const { ca, key, id = 'somebody', principals, serial, validity, host, signature } = options;
  const done = await run('ssh-keygen', [
    '-q',
    '-s',
    ca.path,
    '-I',
    id,
    ...(principals === undefined || principals.length === 0 ? [] : ['-n', principals.join(',')]),
    ...(serial === undefined ? [] : ['-z', String(serial)]),
    ...(validity === undefined ? [] : ['-V', validity]),
    ...(host === true ? ['-h'] : []),
    ...(signature === undefined ? [] : ['-t', signature]),
    ...(options.options ?? []).flatMap((option) => ['-O', option]),
    `${key.path}.pub`,
  ]);
  if (done.status !== 0) throw new Error(`ssh-keygen -s: ${done.stderr}`);
  return `${key.path}-cert.pub`;
}

/** A new key with its certificate. */
export async function makeCertifiedKey(
  directory: string,
  name: string,
  options: Omit<CertificateOptions, 'key'> & { type?: KeyType },
): Promise<{ key: KeyPair; certificate: string }> {
  const key = await makeKey(directory, name, options.type ?? 'ed25519');
  return { key, certificate: await certify({ ...options, key }) };
}

/** The bytes of a certificate. */
export function blobOf(file: string): Buffer {
  return Buffer.from(readFileSync(file, 'utf8').split(' ')[1] ?? '', 'base64');
}

/** Puts other bytes in the place of a certificate. */
export function replaceBlob(file: string, blob: Uint8Array): void {
  const [kind = ''] = readFileSync(file, 'utf8').split(' ');
  writeFileSync(file, `${kind} ${Buffer.from(blob).toString('base64')} other\n`);
}

/** What `ssh-keygen -L` says of a certificate. */
export async function describeCertificate(file: string): Promise<string> {
  const done = await run('ssh-keygen', ['-L', '-f', file]);
  if (done.status !== 0) throw new Error(`ssh-keygen -L: ${done.stderr}`);
  return done.stdout.toString();
}

/** A revocation list by ssh-keygen: lines as its manual has them, and files of keys and certificates. */
export async function makeRevocationList(
  directory: string,
  ca: KeyPair | 'any',
  lines: readonly string[],
  files: readonly string[] = [],
): Promise<string> {
  const [file, specification] = [join(directory, 'revoked.krl'), join(directory, 'revoked.txt')];
  writeFileSync(specification, lines.map((line) => `${line}\n`).join(''));
  const done = await run('ssh-keygen', ['-q', '-k', '-f', file, '-s', ca === 'any' ? 'none' : `${ca.path}.pub`, specification, ...files]);
  if (done.status !== 0) throw new Error(`ssh-keygen -k: ${done.stderr}`);
  return file;
}

/** Somebody who issues tokens: a CI system. */
export interface TokenIssuer {
  issuer: string;
  /** Its JWK set. */
  keys: { keys: object[] };
  token(claims: Record<string, unknown>, options?: { audience?: string; expiresIn?: number; issuedAt?: number }): Promise<string>;
}

export async function makeTokenIssuer(issuer: string, algorithm = 'RS256'): Promise<TokenIssuer> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: algorithm, use: 'sig' };
  return {
    issuer,
    keys: { keys: [jwk] },
    token: (claims, { audience = 'https://gateway.example.com', expiresIn = 300, issuedAt = Math.floor(Date.now() / 1000) } = {}) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: algorithm, kid: 'one', typ: 'JWT' })
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + expiresIn)
        .sign(privateKey),
  };
}
