import { createHash, type KeyObject, sign as signBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { SallyportError } from '../base/errors.ts';
import { SshWire, sshString } from '../base/ssh-wire.ts';
import { parseOpenSshKey } from './openssh-private-key.ts';
import { agentKeys, signWithAgent } from './ssh-agent.ts';

/** Somebody's SSH key, which signs texts for one purpose each (OpenSSH, PROTOCOL.sshsig). */
export interface SshSigner {
  /** The public key as a line without a comment. */
  readonly line: string;
  /** For people: the file, or the agent. */
  readonly where: string;
  sign(text: string, namespace: string): Promise<SignedText>;
}

export interface SignedText {
  readonly key: string;
  /** Armoured, as `ssh-keygen -Y sign` writes it. */
  readonly signature: string;
}

export interface SignerOptions {
  /** A private key, or a public one whose other half the agent has. */
  readonly key?: string;
  /** The agent's socket; that of the environment unless given. */
  readonly agent?: string;
}

const DEFAULT_FILES = ['id_ed25519', 'id_ecdsa', 'id_rsa'];
const HASH = 'sha512';

/**
 * The keys that may be meant, the likeliest first: the one that is named, or else those of the agent and then the usual
 * files. Throws USAGE when there is none, and for a named one that cannot be used.
 */
export async function findSigners({ key, agent = process.env.SSH_AUTH_SOCK ?? '' }: SignerOptions): Promise<SshSigner[]> {
  const inAgent = (await agentKeys(agent)) ?? [];
  const ofAgent = (blob: Buffer, where: string) => signer(blob, where, (data) => signWithAgent(agent, blob, data));
  if (key !== undefined) return [await named(key, inAgent, ofAgent)];
  const signers = inAgent.map((blob) => ofAgent(blob, 'the SSH agent'));
  for (const file of DEFAULT_FILES.map((name) => join(homedir(), '.ssh', name))) {
    const found = await inFile(file);
    if (found?.key !== undefined && !inAgent.some((blob) => blob.equals(found.blob))) signers.push(ofFile(found.blob, found.key, file));
  }
  if (signers.length > 0) return signers;
  throw new SallyportError('USAGE', 'There is no SSH key to sign with: no agent has one, and ~/.ssh has none that is not encrypted', {
    remedy: 'name one with --key FILE, or give it to the agent: ssh-add',
  });
}

async function named(file: string, inAgent: readonly Buffer[], ofAgent: (blob: Buffer, where: string) => SshSigner): Promise<SshSigner> {
  const found = await inFile(file);
  if (found === undefined) {
    throw new SallyportError('USAGE', `${file} is no SSH key that can be read`, {
      remedy:
        'name a file that ssh-keygen wrote, Ed25519, ECDSA or RSA; a key of another form is used through the agent: ssh-add, and name its .pub file',
    });
  }
  if (found.key !== undefined) return ofFile(found.blob, found.key, file);
  const held = inAgent.find((blob) => blob.equals(found.blob));
  if (held !== undefined) return ofAgent(held, `the SSH agent, for ${file}`);
  throw new SallyportError('USAGE', `${file} is encrypted or a public key, and the SSH agent does not have it`, {
    remedy: 'open it for the agent once with: ssh-add FILE',
  });
}

/** Undefined when there is no key in it. */
async function inFile(file: string): Promise<{ readonly blob: Buffer; readonly key: KeyObject | undefined } | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    return undefined; // The usual files need not be there; a named one is told of as one that cannot be read.
  }
  const [algorithm = '', encoded = ''] = text.trim().split(/[ \t]+/);
  const blob = Buffer.from(encoded, 'base64');
  if (algorithm !== '' && new SshWire(blob).string()?.toString('latin1') === algorithm) return { blob, key: undefined };
  return parseOpenSshKey(text);
}

function ofFile(blob: Buffer, key: KeyObject, file: string): SshSigner {
  return signer(blob, file, (data) => Promise.resolve(signWithKey(blob, key, data)));
}

function signer(blob: Buffer, where: string, raw: (data: Buffer) => Promise<Buffer>): SshSigner {
  const type = new SshWire(blob).string()?.toString('latin1') ?? '';
  const line = `${type} ${blob.toString('base64')}`;
  return {
    line,
    where,
    sign: async (text, namespace) => {
      const digest = createHash(HASH).update(text, 'utf8').digest();
      const fields = [sshString(namespace), sshString(''), sshString(HASH)];
      const magic = Buffer.from('SSHSIG');
      const signature = await raw(Buffer.concat([magic, ...fields, sshString(digest)]));
      const version = Buffer.of(0, 0, 0, 1);
      const whole = Buffer.concat([magic, version, sshString(blob), ...fields, sshString(signature)]);
      return { key: line, signature: armored(whole) };
    },
  };
}

const ecdsaHashes: Readonly<Record<string, string>> = {
  'ecdsa-sha2-nistp256': 'sha256',
  'ecdsa-sha2-nistp384': 'sha384',
  'ecdsa-sha2-nistp521': 'sha512',
};

/** RFC 8709, RFC 8332 and RFC 5656: the name of the signature, then its bytes. */
function signWithKey(blob: Buffer, key: KeyObject, data: Buffer): Buffer {
  const type = new SshWire(blob).string()?.toString('latin1') ?? '';
  if (type === 'ssh-ed25519') return Buffer.concat([sshString(type), sshString(signBytes(null, data, key))]);
  if (type === 'ssh-rsa') return Buffer.concat([sshString('rsa-sha2-512'), sshString(signBytes('sha512', data, key))]);
  const both = signBytes(ecdsaHashes[type] ?? 'sha256', data, { key, dsaEncoding: 'ieee-p1363' });
  const numbers = [both.subarray(0, both.length / 2), both.subarray(both.length / 2)].map(positiveNumber);
  return Buffer.concat([sshString(type), sshString(Buffer.concat(numbers))]);
}

/** RFC 4251 section 5: shortest form, with a zero in front where the number would look negative. */
function positiveNumber(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const short = first === -1 ? Buffer.alloc(0) : bytes.subarray(first);
  return sshString((short[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), short]) : short);
}

function armored(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,70}/g) ?? [];
  return `-----BEGIN SSH SIGNATURE-----\n${lines.join('\n')}\n-----END SSH SIGNATURE-----\n`;
}
