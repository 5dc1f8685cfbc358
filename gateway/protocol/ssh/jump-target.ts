import { isIPv6 } from 'node:net';
import { normalize } from 'node:path/posix';
import { groupsOf, mappedAddress } from '../../base/ip-address.ts';

/** What is read of a target here; only those of kind `ssh` are ever found. */
export interface Addressed {
  readonly name: string;
  readonly kind: string;
  readonly address?: string | { readonly host: string; readonly port: number };
}

const SSH_PORT = 22;

/**
 * The known SSH target that a `direct-tcpip` channel to `host` and `port` leads to, if it leads to one. Pure: no name is
 * resolved, so that neither a lookup nor who answers it decides.
 */
export function jumpTarget<Target extends Addressed>(host: string, port: number, targets: Iterable<Target>): Target | undefined {
  return jumpTargets(host, port, targets)[0];
}

/**
 * All of them: one host may be several targets that differ in their login. Those that are called `host`, whatever the
 * port, come before those whose address it is.
 */
export function jumpTargets<Target extends Addressed>(host: string, port: number, targets: Iterable<Target>): readonly Target[] {
  const wanted = canonicalHost(host);
  const found: { target: Target; rank: number }[] = [];
  for (const target of targets) {
    const rank = rankOf(target, host, wanted, port);
    if (rank !== undefined) found.push({ target, rank });
  }
  return found.toSorted((a, b) => a.rank - b.rank).map(({ target }) => target);
}

/**
 * The known SSH target whose SSH server a forward through `own` would lead to, past its recording. Other ports of the same
 * host are nobody's business here.
 */
export function tunnelledTarget(host: string, port: number, targets: Iterable<Addressed>, own: Addressed): Addressed | undefined {
  // Some servers keep only this much of a port.
  const reached = port % 65_536;
  if (isOwnHost(canonicalHost(host))) {
    if (reached === SSH_PORT) return own;
    return typeof own.address === 'object' ? tunnelledTo(own.address.host, reached, [own, ...targets]) : undefined;
  }
  return tunnelledTo(host, reached, targets);
}

/** Where systemd has a host and its guests listen for SSH (systemd-ssh-generator(8)), wherever these are mounted. */
const SERVER_SOCKET = /\/(?:ssh-unix-local\/socket|unix-export\/ssh)$/;

/** Whether a connection to this socket of the target would be one to an SSH server there. */
export function isServerSocket(path: string): boolean {
  return SERVER_SOCKET.test(normalize(path.split('\0')[0] ?? ''));
}

function tunnelledTo(host: string, port: number, targets: Iterable<Addressed>): Addressed | undefined {
  return jumpTargets(host, port, targets).find(
    ({ address }) => port === SSH_PORT || (typeof address === 'object' && address.port === port),
  );
}

/** Names that every host has for itself (RFC 6761 section 6.3, nss-myhostname(8)); with an address of no host it means itself. */
const OWN_NAMES = new Set(['', 'localhost', 'localhost.localdomain', 'ip6-localhost', 'ip6-loopback', '_outbound', '_localdnsstub']);
/** Loopback (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3) and the addresses that stand for it when one connects to them. */
const OWN_ADDRESS = /^(?:127|0)\.\d+\.\d+\.\d+$|^(?:0:){7}[01]$/;

/** Whether the target itself is meant, as the target would see it. */
function isOwnHost(canonical: string): boolean {
  return OWN_NAMES.has(canonical) || canonical.endsWith('.localhost') || OWN_ADDRESS.test(canonical);
}

function rankOf({ name, kind, address }: Addressed, host: string, wanted: string, port: number): number | undefined {
  if (kind !== 'ssh') return undefined;
  if (name === host) return 0;
  // OpenSSH sends names in small letters, however they were written.
  if (name.toLowerCase() === wanted) return 1;
  // An address of kind `ssh` always has its parts; one in words is for people.
  if (address === undefined || typeof address === 'string') return undefined;
  return (address.port || SSH_PORT) === (port || SSH_PORT) && canonicalHost(address.host) === wanted ? 2 : undefined;
}

/** One spelling for every way to write the same host. */
function canonicalHost(host: string): string {
  // Where a C library reads it, it may end at the first of these.
  const [read = ''] = host.split(/[\0\s]/, 1);
  const bare = read.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (isIPv6(bare)) return canonicalIPv6(bare);
  const name = bare.replace(/\.$/, '');
  return classicIPv4(name) ?? name;
}

/**
 * The eight groups; an IPv4 address that IPv6 carries is that address (RFC 4291 section 2.5.5.2). A zone means
 * something only where an address is local to a link; elsewhere Linux takes any.
 */
function canonicalIPv6(text: string): string {
  const [address = '', zone] = text.split('%');
  const mapped = mappedAddress(address);
  if (mapped !== undefined) return mapped;
  const groups = groupsOf(address);
  const written = groups.map((group) => group.toString(16)).join(':');
  const linkLocal = ((groups[0] ?? 0) & 0xffc0) === 0xfe80;
  return zone === undefined || !linkLocal ? written : `${written}%${zone}`;
}

/**
 * `127.1`, `0x7f000001` and `0177.0.0.1` are 127.0.0.1 to whoever resolves with inet_aton(3), so they are here: another
 * spelling must not be a way past.
 */
function classicIPv4(text: string): string | undefined {
  const parts = text.split('.');
  if (parts.length > 4 || !parts.every((part) => /^(?:0x[0-9a-f]+|[0-9]+)$/.test(part))) return undefined;
  const numbers = parts.map(numberOf);
  const last = numbers.pop();
  if (last === undefined || numbers.some((number) => !(number <= 255)) || !(last < 256 ** (4 - numbers.length))) return undefined;
  const value = numbers.reduce((sum, number, index) => sum + number * 256 ** (3 - index), last);
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

/** As C writes numbers: hexadecimal, octal or decimal. NaN for what is none, such as `08`. */
function numberOf(part: string): number {
  if (part.startsWith('0x')) return Number.parseInt(part.slice(2), 16);
  if (part.length > 1 && part.startsWith('0')) return /^0[0-7]+$/.test(part) ? Number.parseInt(part, 8) : Number.NaN;
  return Number(part);
}
