// Builds the desktop app's main process and preload (electron/) into dist/electron, beside dist/renderer which it shows.
// Everything that it needs is in two files but for `electron` itself, so that nothing else goes into the package.
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, 'electron');
const output = join(root, 'dist', 'electron');

/** `file`: what it is called, with the extension that says which kind of module it is. */
async function bundle(build, entry, file, format, folder) {
  await build({
    root: source,
    configFile: false,
    envDir: false,
    publicDir: false,
    logLevel: 'warn',
    // For Node, with every package in it.
    ssr: { noExternal: true, target: 'node' },
    build: {
      ssr: join(source, entry),
      outDir: folder,
      emptyOutDir: false,
      target: 'node24',
      minify: false,
      sourcemap: false,
      reportCompressedSize: false,
      rolldownOptions: {
        external: ['electron'],
        output: { format, entryFileNames: file, chunkFileNames: 'part-[name].js', codeSplitting: format === 'es' },
      },
    },
  });
}

export async function buildDesktop() {
  const { build } = await import('vite');
  // Beside the place, and then into it: never half of it where it is started from.
  const fresh = join(root, 'dist', `.electron-${process.pid}`);
  mkdirSync(fresh, { recursive: true });
  await bundle(build, 'main.ts', 'main.js', 'es', fresh);
  await bundle(build, 'preload.ts', 'preload.cjs', 'cjs', fresh);
  // What Electron reads when it is started with this folder; an archive has its own.
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const manifest = { name: 'sallyport-desktop', productName: 'Sallyport', version, type: 'module', main: 'main.js' };
  writeFileSync(join(fresh, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  cpSync(join(source, 'icons', 'generated'), join(fresh, 'icons'), { recursive: true });
  rmSync(output, { recursive: true, force: true });
  renameSync(fresh, output);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildDesktop();
