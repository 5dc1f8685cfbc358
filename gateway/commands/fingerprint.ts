import { SallyportError } from '../base/errors.ts';

/** A SHA-256 as browsers write it, from any of the ways in which people copy one. Throws USAGE. */
export function readFingerprint(text: string): string {
  const digits = text
    .trim()
    .replace(/^sha-?256[:= ]/i, '')
    .replaceAll(/[: ]/g, '')
    .toUpperCase();
  if (/^[0-9A-F]{64}$/.test(digits)) return (digits.match(/../g) ?? []).join(':');
  throw new SallyportError('USAGE', 'The fingerprint is not a SHA-256 of a certificate', {
    remedy: 'copy it from the line that the gateway prints at its start: https HOST:PORT certificate SHA-256 4F:ED:96:…',
  });
}
