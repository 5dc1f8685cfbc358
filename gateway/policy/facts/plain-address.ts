import { isIPv4, isIPv6 } from 'node:net';
import { groupsOf } from '../../base/ip-address.ts';

/** An address without zone and brackets, and as IPv4 where IPv6 carries one; undefined for anything else. */
export function plainAddress(text: string): string | undefined {
  const address = text.split('%')[0] ?? '';
  if (isIPv4(address)) return address;
  if (!isIPv6(address)) return undefined;
  const groups = groupsOf(address);
  if (groups.slice(0, 5).some((group) => group !== 0) || groups[5] !== 0xffff) return address;
  return [groups[6] ?? 0, groups[7] ?? 0].flatMap((group) => [group >> 8, group & 0xff]).join('.');
}

/** The address in `address:port` or `[address]:port`, as a record names a client. */
export function addressOfSource(source: string): string | undefined {
  const [, address] = /^\[?([^\]]*?)\]?:\d{1,5}$/.exec(source) ?? [];
  return (address === undefined ? undefined : plainAddress(address)) ?? plainAddress(source);
}
