import { createRequire } from 'node:module';
import { expect, it } from 'vitest';

// ssh2 does without its native binding when that does not load: it goes on in JavaScript, at half the speed, and says
// nothing. So a binding that is missing, or was built for another Node, has to fail here.
const require = createRequire(import.meta.url);

interface CipherInfo {
  keyLen: number;
  ivLen: number;
}

interface Cryptography {
  bindingAvailable: boolean;
  CIPHER_INFO: Record<string, CipherInfo>;
  MAC_INFO: Record<string, { len: number }>;
  createCipher(configuration: { outbound: object }): object;
}

const cryptography = require('ssh2/lib/protocol/crypto.js') as Cryptography;

function cipherFor(name: string): object {
  const cipherInfo = cryptography.CIPHER_INFO[name];
  const macInfo = cryptography.MAC_INFO['hmac-sha2-256-etm@openssh.com'];
  if (cipherInfo === undefined || macInfo === undefined) throw new Error(`ssh2 no longer knows ${name}`);
  return cryptography.createCipher({
    outbound: {
      seqno: 0,
      onWrite: () => undefined,
      cipherInfo,
      cipherKey: Buffer.alloc(cipherInfo.keyLen),
      cipherIV: Buffer.alloc(cipherInfo.ivLen),
      macInfo,
      macKey: Buffer.alloc(macInfo.len),
    },
  });
}

it('the tests run on the Node that the gateway runs on', () => {
  expect(process.versions.node).toMatch(/^24\./);
});

it("ssh2's native binding loads", () => {
  expect(() => require('ssh2/lib/protocol/crypto/build/Release/sshcrypto.node') as unknown).not.toThrow();
  expect(cryptography.bindingAvailable).toBe(true);
});

it.each(['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'chacha20-poly1305@openssh.com', 'aes128-ctr'])(
  'ssh2 encrypts %s in the native binding',
  (name) => {
    // ssh2 calls the classes that use its binding …Binding, and those that use Node's own crypto module …Native.
    expect(cipherFor(name).constructor.name).toMatch(/Binding$/);
  },
);

it('ssh2 knows the processor, and so prefers the cipher that is fastest on it', () => {
  // A dependency of ssh2's, so found from there.
  const describeProcessor = createRequire(require.resolve('ssh2'))('cpu-features') as () => { arch: string };
  expect(describeProcessor().arch).not.toBe('unknown');
});
