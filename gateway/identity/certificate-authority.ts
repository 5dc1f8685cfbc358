import { createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import { SallyportError } from '../base/errors.ts';
import { sshString, sshUint32, sshUint64 } from '../base/ssh-wire.ts';
import { certificateKindOf, MAX_CERTIFICATE_BYTES } from './ssh-certificate.ts';
import { fingerprintOf, type SshPublicKey } from './ssh-public-key.ts';

/** What is certified. Names of options are in their order by then, and their data is as it stands there. */
export interface CertificateContents {
  readonly key: SshPublicKey;
  readonly serial: bigint;
  readonly keyId: string;
  readonly principals: readonly string[];
  /** Seconds since 1970: the first one that it is good for, and the first that it is not. */
  readonly validAfter: number;
  readonly validBefore: number;
  readonly criticalOptions: ReadonlyMap<string, Buffer>;
  readonly extensions: ReadonlyMap<string, Buffer>;
}

const USER_CERTIFICATE = 1;

/** The gateway's own authority. It signs certificates for users, and nothing else. */
export class CertificateAuthority {
  readonly #key: KeyObject;
  /** The public key in wire format, as a line, and as `ssh-keygen -l` prints it. */
  readonly blob: Buffer;
  readonly line: string;
  readonly fingerprint: string;

  /** An Ed25519 private key. */
  constructor(key: KeyObject) {
    this.#key = key;
    const { x } = createPublicKey(key).export({ format: 'jwk' });
    this.blob = Buffer.concat([sshString('ssh-ed25519'), sshString(Buffer.from(x ?? '', 'base64url'))]);
    this.line = `ssh-ed25519 ${this.blob.toString('base64')} sallyport-ca`;
    this.fingerprint = fingerprintOf(this.blob);
  }

  /** A line of a `-cert.pub` file. Throws CREDENTIAL_REFUSED for a key that is not certified, and for too much to say about it. */
  certify(contents: CertificateContents): string {
    const { key, serial, keyId, principals, validAfter, validBefore, criticalOptions, extensions } = contents;
    const kind = certificateKindOf(key.algorithm);
    if (kind === undefined) {
      throw new SallyportError('CREDENTIAL_REFUSED', `a key of the kind ${key.algorithm} is not certified`, {
        remedy: 'use a key of its own for this: ssh-keygen -t ed25519 -f FILE',
      });
    }
    const body = Buffer.concat([
      sshString(kind),
      sshString(randomBytes(32)),
      // What follows the kind in the plain key is the key itself.
      key.blob.subarray(4 + key.algorithm.length),
      sshUint64(serial),
      sshUint32(USER_CERTIFICATE),
      sshString(keyId),
      sshString(Buffer.concat(principals.map(sshString))),
      sshUint64(BigInt(validAfter)),
      sshUint64(BigInt(validBefore)),
      sshString(optionList(criticalOptions)),
      sshString(optionList(extensions)),
      sshString(''),
      sshString(this.blob),
    ]);
    const signature = Buffer.concat([sshString('ssh-ed25519'), sshString(sign(null, body, this.#key))]);
    const blob = Buffer.concat([body, sshString(signature)]);
    if (blob.length > MAX_CERTIFICATE_BYTES) {
      throw new SallyportError(
        'CREDENTIAL_REFUSED',
        `the certificate would have ${blob.length} bytes, and ${MAX_CERTIFICATE_BYTES} are the most`,
        {
          remedy: 'ask for fewer targets, or have fewer groups given by the identity provider',
        },
      );
    }
    return `${kind} ${blob.toString('base64')}${key.comment === '' ? '' : ` ${key.comment}`}`;
  }
}

/** 63 random bits, so that nobody can tell from a serial number how many there were before it; never 0, which means none. */
export function newSerial(): bigint {
  for (;;) {
    const serial = randomBytes(8).readBigUInt64BE() >> 1n;
    if (serial !== 0n) return serial;
  }
}

function optionList(options: ReadonlyMap<string, Buffer>): Buffer {
  return Buffer.concat([...options].flatMap(([name, data]) => [sshString(name), sshString(data)]));
}
