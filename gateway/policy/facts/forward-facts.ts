import { isIP } from 'node:net';
import { plainAddress } from './plain-address.ts';

/** Where a forwarding leads, or where a remote one listens. A name is looked up by the target: what it finds is not known here. */
export interface UnderstoodForward {
  readonly direction: 'local' | 'remote';
  /** In small letters, without brackets and without a dot at the end; empty for a socket. */
  readonly host: string;
  /** Where `host` is an address. */
  readonly address?: string;
  readonly port: number;
  readonly socket?: string;
  /** Whether `host` could be another host than it seems. */
  readonly opaque: boolean;
  readonly because?: string;
}

/** Undefined when the facts are not those of a forwarding. */
export function readForwardFacts(facts: Readonly<Record<string, unknown>>): UnderstoodForward | undefined {
  const { direction } = facts;
  if (direction !== 'local' && direction !== 'remote') return undefined;
  const place = facts.to ?? facts.listen;
  if (typeof place !== 'string') return undefined;
  const match = /^(.*):(\d{1,10})$/s.exec(place);
  // A path may hold a colon; what begins with a slash is a socket (PROTOCOL of OpenSSH, section 2.4).
  if (match === null || place.startsWith('/')) {
    return { direction, host: '', port: 0, socket: place, ...doubt(place.startsWith('/') ? undefined : 'this is no path of a socket') };
  }
  const [, written = '', digits = ''] = match;
  const port = Number(digits);
  const host = written
    .replace(/^\[(.*)\]$/s, '$1')
    .toLowerCase()
    .replace(/\.$/, '');
  const address = plainAddress(host);
  return {
    direction,
    host: address ?? host,
    ...(address === undefined ? {} : { address }),
    port,
    ...doubt(doubtAbout(host, port, direction)),
  };
}

function doubtAbout(host: string, port: number, direction: 'local' | 'remote'): string | undefined {
  if (port > 65_535) return 'the port is none';
  if (isIP(host) !== 0) return undefined;
  // RFC 4254 section 7.1: empty and * mean every address.
  if (direction === 'remote' && (host === '' || host === '*' || host === 'localhost')) return undefined;
  // Resolvers read 127.1, 0x7f.1 and 2130706433 as addresses (inet_aton).
  if (/^(?:0x[\da-f]*|\d+)(?:\.(?:0x[\da-f]*|\d+))*$/.test(host)) return 'this may be an address, written in an unusual way';
  return /^[a-z0-9_](?:[a-z0-9_.-]{0,252})$/.test(host) ? undefined : 'this is not the name of a host';
}

function doubt(because: string | undefined): { opaque: boolean; because?: string } {
  return because === undefined ? { opaque: false } : { opaque: true, because };
}
