// Builds the desktop app's main process and preload (electron/) into dist/electron, beside dist/renderer which it shows.
// Everything that it needs is in two files but for `electron` itself, so that nothing else goes into the package.
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, 'electron');
const output = join(root, 'dist', 'electron');

/** `file`: what it is called, with the extension that says which kind of module it is. */
async function bundle(build, entry, file, format, folder, packages = new Set()) {
  await build({
    root: source,
    plugins: [
      {
        name: 'packages',
        // Which packages have code in it, by their folders.
        generateBundle(_options, chunks) {
          for (const chunk of Object.values(chunks))
            for (const id of Object.keys(chunk.modules ?? {})) {
              const folder = /^(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/.exec(id)?.[1];
              if (folder !== undefined) packages.add(folder.replace(/^\0/, ''));
            }
        },
      },
    ],
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

/** Whoever gets the app gets the licences of what is in it. */
function licencesOf(packages) {
  return [...packages]
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const file = readdirSync(folder).find((each) => /^(licen[cs]e|copying)(\.|$)/i.test(each));
      const text = file === undefined ? `Licence: ${license}` : readFileSync(join(folder, file), 'utf8').trim();
      return `${name} ${version}\n\n${text}\n`;
    })
    .toSorted()
    .join(`\n${'-'.repeat(80)}\n\n`);
}

export async function buildDesktop() {
  const { build } = await import('vite');
  // Beside the place, and then into it: never half of it where it is started from.
  const fresh = join(root, 'dist', `.electron-${process.pid}`);
  mkdirSync(fresh, { recursive: true });
  const packages = new Set();
  await bundle(build, 'main.ts', 'main.js', 'es', fresh, packages);
  await bundle(build, 'preload.ts', 'preload.cjs', 'cjs', fresh);
  // What Electron reads when it is started with this folder; an archive has its own.
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const manifest = { name: 'sallyport-desktop', productName: 'Sallyport', version, type: 'module', main: 'main.js' };
  writeFileSync(join(fresh, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(join(fresh, 'third-party-licences.txt'), licencesOf(packages));
  cpSync(join(source, 'icons', 'generated'), join(fresh, 'icons'), { recursive: true });
  rmSync(output, { recursive: true, force: true });
  renameSync(fresh, output);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildDesktop();
