import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BundlePage } from '../../../contract/bundle-page.ts';
import { SallyportError } from '../../base/errors.ts';
import type { BagWriter } from './bag-writer.ts';
import { valueScript } from './page-scripts.ts';

/** Where the page's build stands: seen from the sources, and from the package. */
const BUILDS = ['../../../dist/bundle-page/', '../../../bundle-page/'].map((path) => fileURLToPath(new URL(path, import.meta.url)));
const PAGE = 'index.html';

/** The offline page as it was built, and what it is given. Throws EXPORT_FAILED when it was never built. */
export async function writePage(bag: BagWriter, page: BundlePage): Promise<void> {
  await bag.addText('page/bundle.js', valueScript('bundle', page));
  for (const { path, file } of await pageFiles()) await bag.add(path, createReadStream(file));
}

/** Throws EXPORT_FAILED, so that an export that cannot be completed is not begun. */
export async function pageFiles(): Promise<{ path: string; file: string }[]> {
  for (const build of BUILDS) {
    const names = await readdir(build, { recursive: true, withFileTypes: true }).catch(() => []);
    const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(build.length));
    if (files.includes(PAGE)) return files.sort().map((path) => ({ path, file: join(build, path) }));
  }
  throw new SallyportError(
    'EXPORT_FAILED',
    `The page that bundles are read with was not built: there is no ${join(BUILDS[0] ?? '', PAGE)}`,
    {
      remedy: 'run npm ci, which builds it',
    },
  );
}
