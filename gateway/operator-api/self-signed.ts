import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { groupsOf } from '../base/ip-address.ts';

/*
 * A self-signed certificate (RFC 5280) for one ECDSA key on P-256. It is the only ASN.1 that the gateway has to write,
 * always in this one form, and so it is written here rather than by a library of twenty packages.
 */

/** Both in PEM, the key as PKCS#8. */
export interface SelfSigned {
  readonly key: string;
  readonly certificate: string;
}

export interface SelfSignedOptions {
  /** The key to certify; a new one is made without it. */
  readonly key?: KeyObject;
  readonly commonName: string;
  /** Host names and IP addresses that clients may call this server by. */
  readonly names: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const OID = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
} as const;

/** RFC 5280 section A.1: ub-common-name. */
const LONGEST_COMMON_NAME = 64;

export function selfSigned(options: SelfSignedOptions): SelfSigned {
  const key = options.key ?? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const algorithm = sequence(objectIdentifier(OID.ecdsaWithSha256));
  const commonName = Buffer.from(options.commonName.slice(0, LONGEST_COMMON_NAME), 'utf8');
  const name = sequence(der(0x31, sequence(objectIdentifier(OID.commonName), der(0x0c, commonName))));
  const serial = randomBytes(16);
  // Positive, and not shorter than it looks (section 4.1.2.2).
  serial[0] = ((serial[0] as number) & 0x7f) | 0x40;
  const signed = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    algorithm,
    name,
    sequence(time(options.notBefore), time(options.notAfter)),
    name,
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions(options.names)),
  );
  const certificate = sequence(signed, algorithm, bitString(sign('sha256', signed, key)));
  return { key: key.export({ type: 'pkcs8', format: 'pem' }).toString(), certificate: pem(certificate) };
}

/**
 * Not an authority: whoever trusts this certificate trusts this server and nothing that its key might sign. For TLS
 * servers and signatures alone.
 */
function extensions(names: readonly string[]): Buffer {
  const critical = der(0x01, Buffer.from([0xff]));
  const digitalSignature = der(0x03, Buffer.from([7, 0x80]));
  return sequence(
    sequence(objectIdentifier(OID.basicConstraints), critical, der(0x04, sequence())),
    sequence(objectIdentifier(OID.keyUsage), critical, der(0x04, digitalSignature)),
    sequence(objectIdentifier(OID.extendedKeyUsage), der(0x04, sequence(objectIdentifier(OID.serverAuth)))),
    sequence(objectIdentifier(OID.subjectAltName), der(0x04, sequence(...names.map(generalName)))),
  );
}

function generalName(name: string): Buffer {
  if (isIP(name) === 0) return der(0x82, Buffer.from(name, 'ascii'));
  return der(0x87, addressBytes(name));
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  return Buffer.from(groupsOf(address).flatMap((group) => [group >> 8, group & 0xff]));
}

function der(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function bitString(bytes: Uint8Array): Buffer {
  return der(0x03, Buffer.concat([Buffer.from([0]), bytes]));
}

function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const septets = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) septets.unshift((left & 0x7f) | 0x80);
    return septets;
  });
  return der(0x06, Buffer.from(bytes));
}

/** Section 4.1.2.5: two-digit years until 2049, four-digit ones after it. */
function time(date: Date): Buffer {
  const digits = `${date.toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`;
  return date.getUTCFullYear() < 2050 ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits));
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
