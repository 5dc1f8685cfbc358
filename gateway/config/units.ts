import { isIPv4, isIPv6 } from 'node:net';
import { quoted } from './fault.ts';

/** A value read from text, or what is wrong with the text (without a full stop). */
export type Read<T> = { readonly value: T } | { readonly problem: string };

const secondsPer: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
const bytesPer: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 };

/** Seconds of `30s`, `10m`, `12h` or `400d`. */
export function readDuration(text: string): Read<number> {
  const match = /^(\d{1,9})([smhd])$/.exec(text);
  const unit = secondsPer[match?.[2] ?? ''];
  if (match === null || unit === undefined) return { problem: `${quoted(text)} is not a duration` };
  return { value: Number(match[1]) * unit };
}

/** Bytes of `512MiB`, with the units B, KiB, MiB, GiB and TiB. */
export function readSize(text: string): Read<number> {
  const match = /^(\d{1,12})(B|[KMGT]iB)$/.exec(text);
  const unit = bytesPer[match?.[2] ?? ''];
  const bytes = Number(match?.[1]) * (unit ?? Number.NaN);
  return Number.isSafeInteger(bytes) ? { value: bytes } : { problem: `${quoted(text)} is not a size` };
}

/** `host:port` or `[IPv6]:port`. Port 0 only where the system may pick one. */
export function readAddress(text: string, lowestPort: 0 | 1): Read<{ host: string; port: number }> {
  if (isIPv6(text)) return { problem: `${quoted(text)} is an IPv6 address without brackets and a port` };
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):([^:]*)$/.exec(text);
  if (match === null) return { problem: text.includes(':') ? `${quoted(text)} is not an address` : `${quoted(text)} has no port` };
  const [, bracketed, plain = '', portText = ''] = match;
  const host = bracketed ?? plain;
  if (host === '') return { problem: `${quoted(text)} has no host` };
  if (bracketed !== undefined ? !isIPv6(bracketed) : !isHost(plain)) {
    return { problem: `${quoted(host)} is not ${bracketed === undefined ? 'a host name or an IPv4 address' : 'an IPv6 address'}` };
  }
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : -1;
  if (port < lowestPort || port > 65_535) return { problem: `${quoted(portText)} is not a port from ${lowestPort} to 65535` };
  return { value: { host, port } };
}

/** RFC 1123 names, and with an underscore, as container networks have them. All digits and dots is an address or nothing. */
function isHost(text: string): boolean {
  if (/^[\d.]+$/.test(text)) return isIPv4(text);
  return (
    text.length <= 253 &&
    text
      .replace(/\.$/, '')
      .split('.')
      .every((label) => /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label))
  );
}

/** Writes an address the way it is read. */
export function formatAddress({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
