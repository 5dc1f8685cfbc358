import { readFile, realpath } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { isAppAddress } from './app-origin.ts';

/** What the page may be made of. It talks to nobody: everything goes over the bridge. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'none'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
};

export interface PageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** What the app's own scheme answers. `folder` has the built page, and nothing outside of it is ever read. */
export async function answerPage(folder: string, method: string, address: string): Promise<PageAnswer> {
  if (method !== 'GET' && method !== 'HEAD') return plain(405, 'Only GET is known here.');
  const path = fileWithin(address);
  if (path === undefined) return plain(404, 'There is nothing here.');
  const type = types[extname(path)];
  // A place of the app has no extension: the page itself finds it.
  if (extname(path) === '') return file(folder, 'index.html', types['.html'] as string);
  return type === undefined ? plain(404, 'There is nothing here.') : file(folder, path, type);
}

/** The path in the folder that an address stands for; undefined for those that want out of it, or in another way. */
function fileWithin(address: string): string | undefined {
  if (!isAppAddress(address)) return undefined;
  const written = URL.parse(address)?.pathname ?? '/';
  let path: string;
  try {
    path = decodeURIComponent(written);
  } catch {
    return undefined;
  }
  // The parser has taken out what is written plainly; what was escaped, and what Windows understands, is left.
  if (/[\\:\0%]|\/\//.test(path) || path.split('/').some((part) => part.startsWith('.') || /[ .]$/.test(part))) return undefined;
  return path.slice(1);
}

async function file(folder: string, path: string, type: string): Promise<PageAnswer> {
  const [whole, root] = [join(folder, path), folder];
  try {
    // A link in the folder leads nowhere but within it.
    const [found, base] = await Promise.all([realpath(whole), realpath(root)]);
    if (!found.startsWith(base + sep)) return plain(404, 'There is nothing here.');
    return { status: 200, headers: headersFor(type), body: new Uint8Array(await readFile(found)) };
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return plain(404, 'There is nothing here.');
    throw thrown;
  }
}

function plain(status: number, text: string): PageAnswer {
  return { status, headers: headersFor('text/plain; charset=utf-8'), body: new Uint8Array(Buffer.from(`${text}\n`)) };
}

function headersFor(type: string): Record<string, string> {
  return {
    'content-type': type,
    'content-security-policy': CONTENT_SECURITY_POLICY,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=(), usb=(), serial=(), hid=(), bluetooth=()',
    // The files belong to this version of the app; the next one has the same addresses.
    'cache-control': 'no-store',
  };
}
