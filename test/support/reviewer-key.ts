import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { APPROVAL_NAMESPACE } from '../../contract/approval.ts';
import { sshString } from '../../gateway/base/ssh-wire.ts';

/** An Ed25519 key that signs as `ssh-keygen -Y sign` does (OpenSSH, PROTOCOL.sshsig), without starting a program for each. */
export interface ReviewerKey {
  /** `ssh-ed25519 AAAA…` */
  readonly line: string;
  readonly fingerprint: string;
  sign(text: string, namespace?: string): string;
}

export function reviewerKey(): ReviewerKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const blob = Buffer.concat([sshString('ssh-ed25519'), sshString(Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'))]);
  return {
    line: `ssh-ed25519 ${blob.toString('base64')}`,
    fingerprint: `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`,
    sign: (text, namespace = APPROVAL_NAMESPACE) => armoured(privateKey, blob, text, namespace),
  };
}

function armoured(privateKey: KeyObject, blob: Buffer, text: string, namespace: string): string {
  const magic = Buffer.from('SSHSIG');
  const digest = createHash('sha512').update(text).digest();
  const signed = Buffer.concat([magic, sshString(namespace), sshString(''), sshString('sha512'), sshString(digest)]);
  const signature = Buffer.concat([sshString('ssh-ed25519'), sshString(sign(null, signed, privateKey))]);
  const version = Buffer.from([0, 0, 0, 1]);
  const whole = Buffer.concat([
    magic,
    version,
    sshString(blob),
    sshString(namespace),
    sshString(''),
    sshString('sha512'),
    sshString(signature),
  ]);
  const lines = whole
    .toString('base64')
    .replace(/(.{70})/g, '$1\n')
    .trimEnd();
  return `-----BEGIN SSH SIGNATURE-----\n${lines}\n-----END SSH SIGNATURE-----\n`;
}
