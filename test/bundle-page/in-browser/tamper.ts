import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { BundlePage } from '../../../contract/bundle-page.ts';

/** Changes what a script of a bundle's page delivers, as somebody would who knows the format. */

function readScript(bundle: string, name: string): unknown {
  const text = readFileSync(scriptFile(bundle, name), 'utf8');
  const [, payload = ''] = /^sallyport\("[^"]+",([\s\S]*)\);\n$/.exec(text) ?? [];
  return JSON.parse(payload) as unknown;
}

function writeScript(bundle: string, name: string, payload: unknown): void {
  writeFileSync(scriptFile(bundle, name), `sallyport(${JSON.stringify(name)},${JSON.stringify(payload)});\n`);
}

export function scriptFile(bundle: string, name: string): string {
  return join(bundle, 'data/page', `${name}.js`);
}

export function changeText(bundle: string, name: string, change: (text: string) => string): void {
  const before = inflateRawSync(Buffer.from(readScript(bundle, name) as string, 'base64')).toString('utf8');
  const after = change(before);
  if (after === before) throw new Error(`nothing was changed in ${name}`);
  writeScript(bundle, name, deflateRawSync(after).toString('base64'));
}

export function readPage(bundle: string): BundlePage {
  return readScript(bundle, 'bundle') as BundlePage;
}

export function changePage(bundle: string, change: (page: BundlePage) => void): void {
  const page = readPage(bundle);
  change(page);
  writeScript(bundle, 'bundle', page);
}

/** Another character of the same kind at a place of a base64 text: one or a few bits of the bytes are different. */
export function flipBase64(text: string, at: number): string {
  const other = text[at] === 'A' ? 'B' : 'A';
  return text.slice(0, at) + other + text.slice(at + 1);
}

export function recordScripts(bundle: string): string[] {
  return readdirSync(join(bundle, 'data/page/records')).map((file) => `records/${file.replace(/\.js$/, '')}`);
}
