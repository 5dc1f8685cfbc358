import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { BundlePage } from '../../contract/bundle-page.ts';
import { ZipWriter } from '../../gateway/query/bundle/zip-writer.ts';
import { BundleZip } from '../../renderer/evidence/zip/bundle-zip.ts';
import type { Belongings } from '../support/temp.ts';
import { sourceOf } from './opened-bundle.ts';

export type BundleFiles = Map<string, Buffer>;

/** All files of a bundle, to change something in them. */
export async function filesOf(whole: Uint8Array): Promise<BundleFiles> {
  const zip = await BundleZip.open(sourceOf(whole));
  const files: BundleFiles = new Map();
  for (const [name, { bytes }] of zip.entries) files.set(name, Buffer.from(await zip.read(name, bytes)));
  return files;
}

/** The bundle with other files, sealed anew. `listed`: with the manifests made anew too, as somebody does who knows the format. */
export async function rebuilt(belongings: Belongings, files: BundleFiles, listed: boolean): Promise<Buffer> {
  if (listed) {
    const manifest = linesOf([...files].filter(([name]) => name.startsWith('data/')));
    files.set('manifest-sha256.txt', manifest);
    const payload = [...files].filter(([name]) => name.startsWith('data/'));
    const oxum = `Payload-Oxum: ${payload.reduce((sum, [, { length }]) => sum + length, 0)}.${payload.length}`;
    files.set('bag-info.txt', Buffer.from((files.get('bag-info.txt') ?? '').toString().replace(/^Payload-Oxum: .*$/m, oxum)));
    files.set('tagmanifest-sha256.txt', linesOf([...files].filter(([name]) => /^(bagit|bag-info|manifest-sha256)\.txt$/.test(name))));
  }
  const path = join(belongings.directory('rebuilt'), 'bundle.zip');
  const file = await open(path, 'w');
  const writer = new ZipWriter(file);
  for (const [name, bytes] of files) await writer.add(name, once(bytes));
  await writer.finish();
  await file.close();
  return readFileSync(path);
}

function linesOf(files: readonly (readonly [string, Buffer])[]): Buffer {
  return Buffer.from(files.map(([name, bytes]) => `${createHash('sha256').update(bytes).digest('hex')}  ${name}\n`).join(''));
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Changes the text that a script of the page has packed. */
export function changeText(files: BundleFiles, name: string, change: (text: string) => string): void {
  const before = inflateRawSync(Buffer.from(payloadOf(files, name) as string, 'base64')).toString('utf8');
  const after = change(before);
  if (after === before) throw new Error(`nothing was changed in ${name}`);
  setPayload(files, name, deflateRawSync(after).toString('base64'));
}

export function changePage(files: BundleFiles, change: (page: BundlePage) => void): void {
  const page = payloadOf(files, 'bundle') as BundlePage;
  change(page);
  setPayload(files, 'bundle', page);
}

function payloadOf(files: BundleFiles, name: string): unknown {
  const [, payload = ''] = /^sallyport\("[^"]+",([\s\S]*)\);\n$/.exec(String(files.get(`data/page/${name}.js`))) ?? [];
  return JSON.parse(payload) as unknown;
}

function setPayload(files: BundleFiles, name: string, payload: unknown): void {
  files.set(`data/page/${name}.js`, Buffer.from(`sallyport(${JSON.stringify(name)},${JSON.stringify(payload)});\n`));
}
