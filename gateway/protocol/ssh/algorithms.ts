import type { Algorithms } from 'ssh2';

/**
 * What the gateway offers on both sides, strongest and fastest first. Weak algorithms are off unless the configuration
 * names them. There is no compression: it would make the size of what is typed visible, and cost more than it saves.
 */
const strong = {
  kex: [
    // The same method under two names, and this one has to be first: Dropbear 2022.83 guesses the other, and when the
    // server's first choice agrees with its guess it waits for an answer to a packet that it has not sent.
    'curve25519-sha256@libssh.org',
    'curve25519-sha256',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group-exchange-sha256',
    'diffie-hellman-group14-sha256',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group18-sha512',
  ],
  // AES-GCM costs half of what ChaCha20-Poly1305 does on processors with AES instructions; a client's order decides.
  cipher: ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'chacha20-poly1305@openssh.com', 'aes256-ctr', 'aes192-ctr', 'aes128-ctr'],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
  serverHostKey: ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521', 'rsa-sha2-512', 'rsa-sha2-256'],
} as const;

/** What ssh2 can do beyond that, by kind: off by default, on by name. */
export const weakAlgorithms = {
  kex: ['diffie-hellman-group-exchange-sha1', 'diffie-hellman-group14-sha1', 'diffie-hellman-group1-sha1'],
  cipher: ['aes256-cbc', 'aes192-cbc', 'aes128-cbc', '3des-cbc'],
  hmac: ['hmac-sha1-etm@openssh.com', 'hmac-sha1', 'hmac-sha1-96', 'hmac-md5'],
  serverHostKey: ['ssh-rsa'],
} as const;

/** What the gateway's listener offers. ssh2's server side has no group exchange, although it would offer it. */
export function listenerOffer(weak: readonly string[]): Algorithms {
  const offer = algorithmOffer(weak);
  return { ...offer, kex: (offer.kex as string[]).filter((name) => !name.startsWith('diffie-hellman-group-exchange')) } as Algorithms;
}

/** The offer towards a target. `hostKeys` narrows what is accepted as its host key. */
export function algorithmOffer(weak: readonly string[], hostKeys?: readonly string[]): Algorithms {
  const offer = (kind: keyof typeof strong): string[] => [...strong[kind], ...weakAlgorithms[kind].filter((name) => weak.includes(name))];
  return {
    kex: offer('kex'),
    cipher: offer('cipher'),
    hmac: offer('hmac'),
    serverHostKey: hostKeys === undefined ? offer('serverHostKey') : [...hostKeys],
    compress: ['none'],
  } as Algorithms;
}

/** The kinds of host key that a target can have, one list for each try at a pinned fingerprint. */
export function hostKeyKinds(weak: readonly string[]): readonly (readonly string[])[] {
  const kinds: string[][] = [
    ['ssh-ed25519'],
    ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'],
    ['rsa-sha2-512', 'rsa-sha2-256'],
  ];
  if (weak.includes('ssh-rsa')) kinds.push(['ssh-rsa']);
  return kinds;
}
