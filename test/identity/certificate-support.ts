import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { sshString, sshUint32, sshUint64 } from '../../gateway/base/ssh-wire.ts';
import { type CertificateTrust, identifyCertificate, type OfferedCertificate } from '../../gateway/identity/identify-certificate.ts';
import type { Principal } from '../../gateway/identity/principal.ts';
import { fingerprintOf } from '../../gateway/identity/ssh-public-key.ts';

/** An authority whose certificates can be wrong in any way, with a signature that is good. */
export interface LooseAuthority {
  key: KeyObject;
  blob: Buffer;
  certify(parts?: Partial<Parts>): Buffer;
}

interface Parts {
  kind: string;
  keyFields: Buffer;
  serial: bigint;
  type: number;
  keyId: string | Buffer;
  principals: Buffer;
  validAfter: bigint;
  validBefore: bigint;
  critical: Buffer;
  extensions: Buffer;
  reserved: Buffer;
  /** Behind everything. */
  tail: Buffer;
}

export const ED25519_CERTIFICATE = 'ssh-ed25519-cert-v01@openssh.com';

/** Seconds since 1970 at which all of this happens. */
export const NOW = 1_800_000_000;

export function ed25519Blob(key: KeyObject): Buffer {
  return Buffer.concat([sshString('ssh-ed25519'), sshString(Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url'))]);
}

export function names(...list: string[]): Buffer {
  return Buffer.concat(list.map(sshString));
}

export function options(...list: [name: string, data: string | undefined][]): Buffer {
  return Buffer.concat(list.flatMap(([name, data]) => [sshString(name), sshString(data === undefined ? '' : sshString(data))]));
}

export function looseAuthority(): LooseAuthority {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const blob = ed25519Blob(publicKey);
  const certified = generateKeyPairSync('ed25519').publicKey;
  return {
    key: privateKey,
    blob,
    certify: (parts = {}) => {
      const all: Parts = {
        kind: ED25519_CERTIFICATE,
        keyFields: sshString(Buffer.from(certified.export({ format: 'jwk' }).x ?? '', 'base64url')),
        serial: 7n,
        type: 1,
        keyId: 'id',
        principals: names('engineer@example.com'),
        validAfter: BigInt(NOW - 60),
        validBefore: BigInt(NOW + 600),
        critical: Buffer.alloc(0),
        extensions: options(['permit-pty', undefined]),
        reserved: Buffer.alloc(0),
        tail: Buffer.alloc(0),
        ...parts,
      };
      const body = Buffer.concat([
        sshString(all.kind),
        sshString('nonce'),
        all.keyFields,
        sshUint64(all.serial),
        sshUint32(all.type),
        sshString(all.keyId),
        sshString(all.principals),
        sshUint64(all.validAfter),
        sshUint64(all.validBefore),
        sshString(all.critical),
        sshString(all.extensions),
        sshString(all.reserved),
        sshString(blob),
      ]);
      const signature = Buffer.concat([sshString('ssh-ed25519'), sshString(sign(null, body, privateKey))]);
      return Buffer.concat([body, sshString(signature), all.tail]);
    },
  };
}

function principal(name: string, more: Partial<Principal> = {}): Principal {
  return { name, kind: 'human', groups: [], operator: [], disabled: false, sshKeys: [], ...more };
}

const people = [
  principal('engineer@example.com', { groups: ['platform'] }),
  principal('reviewer@example.com'),
  principal('former@example.com', { disabled: true }),
  principal('deploy-bot', { kind: 'agent', onBehalfOf: 'engineer@example.com', groups: ['bots'] }),
  principal('orphan-bot', { kind: 'agent', onBehalfOf: 'former@example.com' }),
];
export const principals: ReadonlyMap<string, Principal> = new Map(people.map((someone) => [someone.name, someone]));

export function trustOf(own: Buffer, others: readonly Buffer[], more: Partial<CertificateTrust> = {}): CertificateTrust {
  return {
    own,
    authorities: new Map(others.map((blob, index) => [fingerprintOf(blob), { name: `authority-${index}`, blob }])),
    isRevoked: () => false,
    admitUnlisted: false,
    delegates: () => false,
    ...more,
  };
}

export function identify(blob: Buffer, trust: CertificateTrust, more: Partial<OfferedCertificate> = {}) {
  return identifyCertificate({ principals, trust, algorithm: ED25519_CERTIFICATE, blob, source: '192.0.2.7:50022', now: NOW, ...more });
}
