import ssh2 from 'ssh2';

export interface KeyPairText {
  /** OpenSSH private key. */
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA… comment` */
  readonly publicKey: string;
}

/**
 * A fresh Ed25519 key pair in OpenSSH's formats. About one in 256 that ssh2 1.17 makes cannot be read again, not even
 * by itself (measured: "Malformed OpenSSH private key"), so each is tried before it is believed.
 */
export function makeEd25519Key(comment: string): KeyPairText {
  for (;;) {
    const made = ssh2.utils.generateKeyPairSync('ed25519', { comment });
    if (works(made.private, made.public)) return { privateKey: made.private, publicKey: made.public };
  }
}

function works(privateKey: string, publicKey: string): boolean {
  const [signer, verifier] = [privateKey, publicKey].map((text) => ssh2.utils.parseKey(text));
  if (signer === undefined || signer instanceof Error || verifier === undefined || verifier instanceof Error) return false;
  const probe = Buffer.from('sallyport');
  const signature = signer.sign(probe);
  return Buffer.isBuffer(signature) && verifier.verify(probe, signature) === true;
}
