// Builds the page that lies in every bundle (renderer/bundle-page) into dist/bundle-page: index.html, page/app.js and
// page/app.css, exactly as they stand below a bundle's data/. set-up.mjs has it run where something has changed; vite
// wants the Node that runs Sallyport, while set-up.mjs asks `isPageBuilt` with any Node from 20 on.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, 'renderer', 'bundle-page');
const output = join(root, 'dist', 'bundle-page');
const products = ['index.html', 'page/app.js', 'page/app.css'];
/** Beside the folder, which has nothing in it but what goes into a bundle. */
const stamp = join(root, 'dist', '.bundle-page-built-from');

/** Packages whose code is in page/app.js, with the text of their licences kept in front of it. This one brings none along. */
const bundled = ['@xterm/headless'];
const licenceTexts = join(source, 'licences');

function packageFolder(name) {
  return join(root, 'node_modules', name);
}

function versionOf(name) {
  return JSON.parse(readFileSync(join(packageFolder(name), 'package.json'), 'utf8')).version;
}

function sourceFiles(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? sourceFiles(join(folder, entry.name)) : [join(folder, entry.name)]))
    .sort((one, other) => (one < other ? -1 : 1));
}

/** What the page is made of, as one digest: when it is the same, so is the page. */
function digestOfSources() {
  const digest = createHash('sha256');
  for (const name of [...bundled, 'vite']) digest.update(`${name} ${versionOf(name)}\n`);
  const shared = ['contract', 'renderer/dom', 'renderer/evidence', 'renderer/terminal'].map((folder) => sourceFiles(join(root, folder)));
  for (const file of [...sourceFiles(source), ...shared.flat(), fileURLToPath(import.meta.url)]) {
    digest
      .update(`${relative(root, file)}\n`)
      .update(readFileSync(file))
      .update('\0');
  }
  return digest.digest('hex');
}

async function script() {
  // Loaded only when there is something to build: it takes longer than all the rest.
  const { build } = await import('vite');
  const built = await build({
    root: source,
    configFile: false,
    envDir: false,
    publicDir: false,
    logLevel: 'warn',
    // Its package.json names a module that is not in the package.
    resolve: { alias: { '@xterm/headless': join(packageFolder('@xterm/headless'), 'lib-headless/xterm-headless.js') } },
    build: {
      write: false,
      target: ['chrome111', 'firefox113', 'safari16.4'],
      sourcemap: false,
      modulePreload: false,
      reportCompressedSize: false,
      // A page that was opened from the file system can load no modules: one classic script.
      lib: { entry: join(source, 'main.ts'), formats: ['iife'], name: 'sallyportPage', fileName: () => 'app.js' },
    },
  });
  const { output: chunks } = Array.isArray(built) ? built[0] : built;
  const code = chunks.find((chunk) => chunk.type === 'chunk')?.code;
  if (code === undefined || chunks.length !== 1) throw new Error('the page did not become one script');
  const licences = bundled.map(
    (name) => `${name} ${versionOf(name)}\n\n${readFileSync(join(licenceTexts, `${name.replace('/', '-')}.txt`), 'utf8').trim()}`,
  );
  const notice = `Sallyport's bundle page. Apache-2.0. It contains:\n\n${licences.join('\n\n')}`;
  return `/*!\n${notice.replaceAll('*/', '* /')}\n*/\n${code}`;
}

function style() {
  const files = sourceFiles(join(source, 'styles'));
  return files.map((file) => readFileSync(file, 'utf8')).join('\n');
}

/** Never half a file in place, also when two processes build at once. */
function place(file, text) {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = join(root, 'dist', `.bundle-page-${process.pid}.tmp`);
  writeFileSync(temporary, text);
  renameSync(temporary, file);
}

/** Whether the page is there as its sources are now. */
export function isPageBuilt() {
  if (!products.every((name) => existsSync(join(output, name)))) return false;
  return existsSync(stamp) && readFileSync(stamp, 'utf8').trim() === digestOfSources();
}

async function buildPage() {
  if (isPageBuilt()) return;
  const digest = digestOfSources();
  place(join(output, 'page/app.js'), await script());
  place(join(output, 'page/app.css'), style());
  place(join(output, 'index.html'), readFileSync(join(source, 'index.html'), 'utf8'));
  place(stamp, `${digest}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildPage();
