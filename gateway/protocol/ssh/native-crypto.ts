import crypto from 'ssh2/lib/protocol/crypto.js';

/**
 * Which cryptography ssh2 uses. Its native binding is built for one ABI of Node and missing for every other; ssh2 then
 * falls back to JavaScript without a word, at half the speed.
 */
export function sshCrypto(): 'native' | 'javascript' {
  return crypto.bindingAvailable ? 'native' : 'javascript';
}
