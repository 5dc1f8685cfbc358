import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { groupsOf } from '../base/ip-address.ts';
import { SshWire, sshString } from '../base/ssh-wire.ts';
import { plainText, type SshCertificate } from './ssh-certificate.ts';

/** Of the gateway's own certificates only; see certified-identity.ts. */
export const IDENTITY_OPTION = 'identity@sallyport.dev';

const MAX_NETWORKS = 128;

/** What the options of a certificate say. Extensions that are not known are passed over, as PROTOCOL.certkeys asks. */
export interface CertificateOptions {
  readonly forcedCommand?: string;
  /** Networks as `address` or `address/bits`, with commas between them. */
  readonly sourceAddresses?: string;
  readonly identity?: string;
  readonly terminal: boolean;
  readonly portForwarding: boolean;
  readonly agentForwarding: boolean;
}

/** `own`: the certificate is one of the gateway's, and may carry what only those carry. */
export function readCertificateOptions(
  { criticalOptions, extensions }: Pick<SshCertificate, 'criticalOptions' | 'extensions'>,
  own: boolean,
): CertificateOptions | { readonly fault: string } {
  const texts = new Map<string, string>();
  for (const [name, data] of criticalOptions) {
    // What is critical and not understood must not be passed over; verify-required is for security keys, which are not taken.
    const known = name === 'force-command' || name === 'source-address' || (own && name === IDENTITY_OPTION);
    if (!known) return { fault: `the certificate has the critical option "${name}", which is not known here` };
    const text = textIn(data);
    if (text === undefined) return { fault: `the option ${name} of the certificate is damaged` };
    texts.set(name, text);
  }
  const permits = (name: string): boolean => extensions.get(name)?.length === 0;
  for (const name of permissions)
    if ((extensions.get(name)?.length ?? 0) > 0) return { fault: `the extension ${name} of the certificate is damaged` };
  const [forcedCommand, sourceAddresses, identity] = ['force-command', 'source-address', IDENTITY_OPTION].map((name) => texts.get(name));
  return {
    ...(forcedCommand === undefined ? {} : { forcedCommand }),
    ...(sourceAddresses === undefined ? {} : { sourceAddresses }),
    ...(identity === undefined ? {} : { identity }),
    terminal: permits('permit-pty'),
    portForwarding: permits('permit-port-forwarding'),
    agentForwarding: permits('permit-agent-forwarding'),
  };
}

/** The extensions that are looked at. In the order that a certificate has to have them in. */
export const permissions = ['permit-agent-forwarding', 'permit-port-forwarding', 'permit-pty'] as const;

/** The data of an option that is text: one string, and nothing else. */
function textIn(data: Buffer): string | undefined {
  const wire = new SshWire(data);
  const text = wire.string();
  return text === undefined || text.length === 0 || !wire.ended ? undefined : plainText(text);
}

export function optionData(text: string): Buffer {
  return sshString(text);
}

/** Whether the address is in one of the networks; undefined when the list can't be read, which is nobody's network. */
export function isInNetworks(address: string, list: string): boolean | undefined {
  const entries = list.split(',');
  if (entries.length > MAX_NETWORKS) return undefined;
  // One for each family: together they would take an IPv4 address for part of an IPv6 network that covers its mapped form.
  const networks = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const entry of entries) {
    const [network = '', bits, ...more] = entry.split('/');
    const family = isIPv4(network) ? 'ipv4' : isIPv6(network) && !network.includes('%') ? 'ipv6' : undefined;
    const most = family === 'ipv4' ? 32 : 128;
    if (family === undefined || more.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits))) return undefined;
    const prefix = bits === undefined ? most : Number(bits);
    if (prefix > most || hasHostBits(network, family, most - prefix)) return undefined;
    networks[family].addSubnet(network, prefix, family);
  }
  if (isIPv4(address)) return networks.ipv4.check(address, 'ipv4');
  return isIPv6(address) && networks.ipv6.check(address, 'ipv6');
}

/** `10.0.0.1/8` is a mistake of which nobody knows what it was to be; sshd refuses it too. */
function hasHostBits(network: string, family: 'ipv4' | 'ipv6', hostBits: number): boolean {
  const [parts, width] = family === 'ipv4' ? [network.split('.').map(Number), 8n] : [groupsOf(network), 16n];
  const value = parts.reduce((bits, part) => (bits << width) | BigInt(part), 0n);
  return value % (1n << BigInt(hostBits)) !== 0n;
}
