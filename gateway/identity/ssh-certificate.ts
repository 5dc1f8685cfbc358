import { SshWire, sshString } from '../base/ssh-wire.ts';
import { faultOfKeyBlob } from './ssh-public-key.ts';

/*
 * OpenSSH's certificates (PROTOCOL.certkeys), read strictly: what is not exactly as it has to be is refused. Nothing is
 * believed here; identify-certificate.ts says whom a certificate lets in.
 */

/** Longer ones are not looked into. An RSA certificate of 16,384 bits with a dozen options has 6 KiB. */
export const MAX_CERTIFICATE_BYTES = 16 * 1024;
const MAX_PRINCIPALS = 256;
const MAX_NAME_BYTES = 255;
const MAX_KEY_ID_BYTES = 1024;
const MAX_OPTIONS = 32;

/** The name of a kind of certificate, the plain kind of the key in it, and how many fields that key has. */
const kinds = new Map([
  ['ssh-ed25519-cert-v01@openssh.com', { plain: 'ssh-ed25519', fields: 1 }],
  ['ecdsa-sha2-nistp256-cert-v01@openssh.com', { plain: 'ecdsa-sha2-nistp256', fields: 2 }],
  ['ecdsa-sha2-nistp384-cert-v01@openssh.com', { plain: 'ecdsa-sha2-nistp384', fields: 2 }],
  ['ecdsa-sha2-nistp521-cert-v01@openssh.com', { plain: 'ecdsa-sha2-nistp521', fields: 2 }],
  ['ssh-rsa-cert-v01@openssh.com', { plain: 'ssh-rsa', fields: 2 }],
]);

/** What `ssh-keygen -L` shows of a certificate, and what the checks of it need. */
export interface SshCertificate {
  /** Name inside, for example `ssh-rsa-cert-v01@openssh.com`. */
  readonly kind: string;
  /** The certified key as it would be without the certificate: its kind, and its wire format. */
  readonly keyType: string;
  readonly key: Buffer;
  readonly serial: bigint;
  readonly type: 'user' | 'host' | 'other';
  readonly keyId: string;
  readonly principals: readonly string[];
  /** Seconds since 1970; good from the first on, and before the second. */
  readonly validAfter: bigint;
  readonly validBefore: bigint;
  /** By name, with the data as it stands there. */
  readonly criticalOptions: ReadonlyMap<string, Buffer>;
  readonly extensions: ReadonlyMap<string, Buffer>;
  /** The authority's key in wire format, its signature, and what that is over. */
  readonly ca: Buffer;
  readonly signature: Buffer;
  readonly signed: Buffer;
}

export type ParsedSshCertificate = { readonly certificate: SshCertificate } | { readonly fault: string };

/** The kind of certificate that goes with a kind of key; undefined for keys that are not certified. */
export function certificateKindOf(keyType: string): string | undefined {
  const kind = `${keyType}-cert-v01@openssh.com`;
  return kinds.has(kind) ? kind : undefined;
}

/** Reads the wire format. A fault is in words, without a full stop at its end. */
export function parseSshCertificate(blob: Buffer): ParsedSshCertificate {
  if (blob.length > MAX_CERTIFICATE_BYTES) return { fault: `the certificate has more than ${MAX_CERTIFICATE_BYTES} bytes` };
  const wire = new SshWire(blob);
  const name = wire.string()?.toString('latin1') ?? '';
  const kind = kinds.get(name);
  if (kind === undefined) return { fault: 'this kind of certificate is not accepted' };
  const nonce = wire.string();
  const keyFields = Array.from({ length: kind.fields }, () => wire.string());
  const serial = wire.uint64();
  const type = wire.uint32();
  const keyId = wire.string();
  const principals = wire.string();
  const validAfter = wire.uint64();
  const validBefore = wire.uint64();
  const criticalOptions = wire.string();
  const extensions = wire.string();
  const reserved = wire.string();
  const ca = wire.string();
  const signed = wire.read;
  const signature = wire.string();
  if (nonce === undefined || keyFields.includes(undefined)) return cutOff;
  if (serial === undefined || type === undefined || keyId === undefined || principals === undefined) return cutOff;
  if (validAfter === undefined || validBefore === undefined || criticalOptions === undefined || extensions === undefined) return cutOff;
  if (reserved === undefined || ca === undefined || signature === undefined) return cutOff;
  if (!wire.ended) return { fault: 'something follows the certificate' };
  if (reserved.length > 0) return { fault: 'a field of the certificate is in use that has no meaning yet' };

  const key = Buffer.concat([sshString(kind.plain), ...keyFields.map((field) => sshString(field ?? Buffer.alloc(0)))]);
  const keyFault = faultOfKeyBlob(kind.plain, key);
  if (keyFault !== undefined) return { fault: `the certified key is not good: ${keyFault}` };
  const id = keyId.length > MAX_KEY_ID_BYTES ? undefined : plainText(keyId);
  if (id === undefined) return { fault: 'the key id of the certificate is too long or not plain text' };
  const names = readNames(principals);
  if (names === undefined) return { fault: 'the list of principals in the certificate is damaged or too long' };
  const critical = readOptions(criticalOptions);
  const further = readOptions(extensions);
  if (critical === undefined || further === undefined)
    return { fault: 'the options of the certificate are damaged, too many, repeated or not in their order' };
  return {
    certificate: {
      kind: name,
      keyType: kind.plain,
      key,
      serial,
      type: type === 1 ? 'user' : type === 2 ? 'host' : 'other',
      keyId: id,
      principals: names,
      validAfter,
      validBefore,
      criticalOptions: critical,
      extensions: further,
      ca,
      signature,
      signed,
    },
  };
}

const cutOff = { fault: 'the certificate is cut off or damaged' };

function readNames(bytes: Buffer): string[] | undefined {
  const wire = new SshWire(bytes);
  const names: string[] = [];
  while (!wire.ended) {
    const name = wire.string();
    const text = name === undefined || name.length === 0 || name.length > MAX_NAME_BYTES ? undefined : plainText(name);
    if (text === undefined || names.length === MAX_PRINCIPALS) return undefined;
    names.push(text);
  }
  return names;
}

/** "Options must be lexically ordered by name. Each named option may only appear once." */
function readOptions(bytes: Buffer): Map<string, Buffer> | undefined {
  const wire = new SshWire(bytes);
  const options = new Map<string, Buffer>();
  let before: Buffer | undefined;
  while (!wire.ended) {
    const name = wire.string();
    const data = wire.string();
    if (name === undefined || data === undefined || name.length === 0 || name.length > MAX_NAME_BYTES) return undefined;
    if (options.size === MAX_OPTIONS || (before !== undefined && before.compare(name) >= 0)) return undefined;
    const text = plainText(name);
    if (text === undefined) return undefined;
    options.set(text, data);
    before = name;
  }
  return options;
}

/** UTF-8 without control characters, which would drive somebody's terminal; undefined for anything else. */
export function plainText(bytes: Buffer): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return /\p{Cc}/u.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}
