/** What a private key's text says about itself, without opening it. */
export type PrivateKeyText =
  | { readonly kind: 'none' }
  | { readonly kind: 'unsupported'; readonly format: string; readonly convert: string }
  | { readonly kind: 'key'; readonly encrypted: boolean };

const OPENSSH_MAGIC = Buffer.from('openssh-key-v1\0', 'latin1');

/** Looks at the form only; whether the key is whole shows when it is used. `where` is named in commands for people. */
export function inspectPrivateKey(text: string, where: string): PrivateKeyText {
  const trimmed = text.trim();
  const putty = /^PuTTY-User-Key-File-(\d+): (\S+)/.exec(trimmed);
  if (putty !== null) {
    // ssh2 reads version 2 of the format, and only with these two kinds of key.
    if (putty[1] !== '2' || !/^ssh-(?:rsa|dss)$/.test(putty[2] ?? ''))
      return unsupported('this PuTTY format', `puttygen ${where} -O private-openssh -o NEW`);
    return { kind: 'key', encrypted: !/^Encryption: none\r?$/m.test(trimmed) };
  }
  const label = /^-----BEGIN ([A-Z0-9 ]*)PRIVATE KEY-----/.exec(trimmed)?.[1];
  if (label === undefined) return { kind: 'none' };
  switch (label.trim()) {
    case 'OPENSSH':
      return { kind: 'key', encrypted: isEncryptedOpenSsh(trimmed) };
    case 'RSA':
    case 'EC':
      return { kind: 'key', encrypted: /^Proc-Type: 4,ENCRYPTED\r?$/m.test(trimmed) };
    case 'DSA':
      return unsupported('DSA, which is too weak', 'ssh-keygen -t ed25519 -f NEW');
    default:
      return unsupported('PKCS #8', `ssh-keygen -p -f ${where}`);
  }
}

function unsupported(format: string, convert: string): PrivateKeyText {
  return { kind: 'unsupported', format, convert };
}

/** The cipher's name is the first string after the magic (PROTOCOL.key of OpenSSH). */
function isEncryptedOpenSsh(text: string): boolean {
  const blob = Buffer.from(text.replace(/-----[^-]*-----/g, ''), 'base64');
  if (!blob.subarray(0, OPENSSH_MAGIC.length).equals(OPENSSH_MAGIC) || blob.length < OPENSSH_MAGIC.length + 4) return false;
  const start = OPENSSH_MAGIC.length + 4;
  const cipher = blob.subarray(start, start + blob.readUInt32BE(OPENSSH_MAGIC.length)).toString('latin1');
  return cipher !== 'none';
}
