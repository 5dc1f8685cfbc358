import { isIPv6 } from 'node:net';

/** The address of `address:port` or `[IPv6]:port`, without a zone; an IPv4 address also where IPv6 carries it. */
export function addressOf(source: string): string {
  const bare = /^\[([^\]]*)\]:\d+$/.exec(source)?.[1] ?? source.replace(/:\d+$/, '');
  const address = bare.split('%')[0] ?? bare;
  return isIPv6(address) ? (mappedAddress(address) ?? address) : address;
}

/** The IPv4 address that an IPv6 address, known to be valid, carries (RFC 4291 section 2.5.5.2); undefined when it carries none. */
export function mappedAddress(address: string): string | undefined {
  const groups = groupsOf(address);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (!isMapped) return undefined;
  return [groups[6] ?? 0, groups[7] ?? 0].flatMap((group) => [group >> 8, group & 0xff]).join('.');
}

/**
 * What counts as one source: an IPv4 address, also where IPv6 carries it, or the /64 of an IPv6 address, because a
 * single host has all of that to choose from (RFC 4291 section 2.5.4, RFC 8981).
 */
export function networkOf(source: string): string {
  const address = source.split('%')[0] ?? source;
  if (!isIPv6(address)) return address.slice(0, 64);
  const mapped = mappedAddress(address);
  if (mapped !== undefined) return mapped;
  return `${groupsOf(address)
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

/** The eight groups of 16 bits of an IPv6 address that is known to be valid. */
export function groupsOf(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const left = groupsIn(head);
  if (tail === undefined) return left;
  const right = groupsIn(tail);
  return [...left, ...Array<number>(Math.max(0, 8 - left.length - right.length)).fill(0), ...right];
}

function groupsIn(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}
