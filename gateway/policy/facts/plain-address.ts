import { isIPv4, isIPv6 } from 'node:net';
import { mappedAddress } from '../../base/ip-address.ts';

/** An address without zone and brackets, and as IPv4 where IPv6 carries one; undefined for anything else. */
export function plainAddress(text: string): string | undefined {
  const address = text.split('%')[0] ?? '';
  if (isIPv4(address)) return address;
  if (!isIPv6(address)) return undefined;
  return mappedAddress(address) ?? address;
}

/** The address in `address:port` or `[address]:port`, as a record names a client. */
export function addressOfSource(source: string): string | undefined {
  const [, address] = /^\[?([^\]]*?)\]?:\d{1,5}$/.exec(source) ?? [];
  return (address === undefined ? undefined : plainAddress(address)) ?? plainAddress(source);
}
