import type { Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { asSallyportError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';

/** Where the renderer's build stands: seen from the sources, and from the package. */
const BUILDS = ['../../../dist/renderer/', '../../../renderer/'].map((path) => fileURLToPath(new URL(path, import.meta.url)));
export const CONSOLE_PAGE = '/index.html';

const MiB = 1024 * 1024;
/** What a build may be: far more than it is, so that a wrong folder does not fill the memory. */
const MOST_FILES = 1000;
const MOST_BYTES = 64 * MiB;
/** Below it, compressing gains nothing. */
const LEAST_COMPRESSED = 1024;

/** What is served, by the end of its name. Anything else that lies there is not. */
const types: Readonly<Record<string, { readonly type: string; readonly compress: boolean }>> = {
  html: { type: 'text/html; charset=utf-8', compress: true },
  js: { type: 'text/javascript; charset=utf-8', compress: true },
  css: { type: 'text/css; charset=utf-8', compress: true },
  svg: { type: 'image/svg+xml', compress: true },
  json: { type: 'application/json', compress: true },
  webmanifest: { type: 'application/manifest+json', compress: true },
  txt: { type: 'text/plain; charset=utf-8', compress: true },
  wasm: { type: 'application/wasm', compress: true },
  png: { type: 'image/png', compress: false },
  ico: { type: 'image/x-icon', compress: false },
  woff2: { type: 'font/woff2', compress: false },
};

export type Coding = 'br' | 'gzip';

export interface ConsoleFile {
  readonly type: string;
  readonly bytes: Buffer;
  /** Made once, by whoever asks first, on other threads; undefined where it gains nothing. */
  compressed(coding: Coding): Promise<Buffer> | undefined;
}

/** Every file of the console by the path that it is served at: nothing else can be asked for. */
export type ConsoleFiles = ReadonlyMap<string, ConsoleFile>;

/** As the console is built at this moment, whole: an upgrade does not mix two of them. Undefined when it was never built. */
export async function readConsoleFiles(log: Log, builds: readonly string[] = BUILDS): Promise<ConsoleFiles | undefined> {
  for (const build of builds) {
    try {
      const files = await readBuild(build);
      if (files.has(CONSOLE_PAGE)) return files;
    } catch (thrown) {
      log.error({ folder: build }, `the console cannot be read: ${asSallyportError(thrown).message}`);
    }
  }
  return undefined;
}

async function readBuild(build: string): Promise<ConsoleFiles> {
  const entries = await readdir(build, { recursive: true, withFileTypes: true }).catch((error: unknown): Dirent[] => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
  const files = new Map<string, ConsoleFile>();
  let room = MOST_BYTES;
  // A symbolic link is no file here, whatever it leads to.
  for (const entry of entries.filter((each) => each.isFile())) {
    const known = types[entry.name.slice(entry.name.lastIndexOf('.') + 1)];
    if (known === undefined) continue;
    const path = join(entry.parentPath, entry.name);
    room -= (await stat(path)).size;
    if (room < 0 || files.size >= MOST_FILES) throw new Error(`${build} is larger than the console can be`);
    files.set(`/${relative(build, path).split(sep).join('/')}`, fileOf(known, await readFile(path)));
  }
  return files;
}

function fileOf({ type, compress }: { readonly type: string; readonly compress: boolean }, bytes: Buffer): ConsoleFile {
  const made: Partial<Record<Coding, Promise<Buffer>>> = {};
  return {
    type,
    bytes,
    compressed: (coding) => {
      if (!compress || bytes.length < LEAST_COMPRESSED) return undefined;
      made[coding] ??= encode[coding](bytes);
      return made[coding];
    },
  };
}

const encode: Readonly<Record<Coding, (bytes: Buffer) => Promise<Buffer>>> = {
  // 5: nearly as small as it gets, at a tenth of the time.
  br: (bytes) =>
    promisify(brotliCompress)(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    }),
  gzip: (bytes) => promisify(gzip)(bytes, { level: 6 }),
};
