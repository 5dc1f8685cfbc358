import { SallyportError } from '../base/errors.ts';
import { type CertificateAuthority, newSerial } from './certificate-authority.ts';
import { IDENTITY_OPTION, optionData, permissions } from './certificate-options.ts';
import { type CertifiedIdentity, writeIdentity } from './certified-identity.ts';
import { parseSshPublicKey, type SshPublicKey } from './ssh-public-key.ts';

/** Seconds that a certificate is good for unless somebody asks for fewer or more, and the most. */
export interface CertificateLifetimes {
  readonly lifetimeSeconds: number;
  readonly longestSeconds: number;
}

export interface CertificateWish {
  /** A line of a `.pub` file. */
  readonly key: string;
  readonly seconds?: number | undefined;
  readonly identity: CertifiedIdentity;
  /** How it came about, in words; it stands in the key id. */
  readonly cameAbout: string;
}

export interface IssuedCertificate {
  readonly certificate: string;
  readonly serial: string;
  readonly key: SshPublicKey;
  readonly keyId: string;
  /** Seconds since 1970. */
  readonly validAfter: number;
  readonly validBefore: number;
}

/**
 * Makes a certificate. `now`: wall clock, seconds. Throws REQUEST_INVALID for a key or a time that is not taken and
 * CREDENTIAL_REFUSED for one that can't be certified.
 */
export function issueCertificate(
  { key: line, seconds, identity, cameAbout }: CertificateWish,
  authority: CertificateAuthority,
  { lifetimeSeconds, longestSeconds }: CertificateLifetimes,
  now: number,
): IssuedCertificate {
  const parsed = parseSshPublicKey(line);
  if ('fault' in parsed) {
    throw new SallyportError('REQUEST_INVALID', `this key cannot be certified: ${parsed.fault}`, {
      remedy: 'send the one line of a .pub file',
    });
  }
  const lasts = seconds ?? lifetimeSeconds;
  if (lasts > longestSeconds) {
    throw new SallyportError('REQUEST_INVALID', `a certificate of ${lasts} seconds is longer than this gateway gives`, {
      remedy: `ask for at most ${longestSeconds} seconds; certificates.longest in the configuration decides it`,
    });
  }
  const { key } = parsed;
  const serial = newSerial();
  const keyId = keyIdOf(identity, cameAbout);
  const validAfter = Math.floor(now);
  const validBefore = validAfter + lasts;
  const certificate = authority.certify({
    key: { ...key, comment: '' },
    serial,
    keyId,
    principals: [identity.principal],
    validAfter,
    validBefore,
    criticalOptions: new Map([[IDENTITY_OPTION, optionData(writeIdentity(identity))]]),
    // Policy decides what of it the holder may; a certificate that took it away would only be in policy's way.
    extensions: new Map(permissions.map((name) => [name, Buffer.alloc(0)])),
  });
  return { certificate, serial: String(serial), key, keyId, validAfter, validBefore };
}

function keyIdOf({ principal, onBehalfOf }: CertifiedIdentity, cameAbout: string): string {
  const text = `${principal}${onBehalfOf === undefined ? '' : ` for ${onBehalfOf}`}, by ${cameAbout}`;
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '?')
    .slice(0, 255)
    .toWellFormed();
}
