import { DesktopError } from '../base/desktop-error.ts';

/**
 * Log-ins and log-outs are the main process's: their answers have tokens in them. What ways there are is no secret. Nor is
 * the page given what lets somebody in from elsewhere, long after it is closed: tokens of programs, and certificates.
 */
const OWN = /^\/api\/(?:(?:login|logout)(?:\/|$)|(?:operators\/tokens|credentials)\/*$)/;
const WAYS = '/api/login/provider';
const OPEN = /^\/(api\/.|ledger\/.|healthz$|readyz$|openapi\.json$)/;

/**
 * A path that the page may ask for, as it goes onto the wire. What reads differently for us than for the gateway (`..`,
 * backslashes, a fragment, an address) is refused rather than mended. Throws REQUEST_INVALID.
 */
export function requirePagePath(path: string): string {
  if (path === WAYS) return path;
  const url = URL.parse(path, 'https://gateway.invalid');
  const asWritten = url !== null && url.origin === 'https://gateway.invalid' && `${url.pathname}${url.search}` === path;
  // The gateway decodes what is escaped in a path: `%2e%2e` and `%6cogin` must not be read by it after we have looked.
  const decoded = asWritten ? decodedPath(url.pathname) : undefined;
  if (decoded === undefined || !OPEN.test(decoded) || OWN.test(decoded) || /(^|\/)\.{1,2}(\/|$)|\/\/|[\\\0]/.test(decoded))
    throw new DesktopError('REQUEST_INVALID', `the page may not ask the gateway for ${JSON.stringify(path.slice(0, 100))}`);
  return path;
}

/** Which address it is, however it is written: for what is true of that address. */
export function addressOf(path: string): string {
  const [before = ''] = path.split('?');
  return decodedPath(before)?.replace(/\/+$/, '') ?? '';
}

function decodedPath(path: string): string | undefined {
  try {
    const once = decodeURIComponent(path);
    return once.toLowerCase();
  } catch {
    return undefined; // A percent sign that escapes nothing.
  }
}
