// Builds the console (renderer/app) into dist/renderer, which the gateway serves and the desktop app contains. Does nothing
// when it is there as its sources are now.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, 'renderer', 'app');
const output = join(root, 'dist', 'renderer');
const stamp = join(root, 'dist', '.renderer-built-from');

/** Everything that goes into it, and what decides how. */
const inputs = [
  'renderer/app',
  'renderer/dom',
  'renderer/terminal',
  'renderer/evidence',
  'renderer/bundle-page',
  'contract',
  'package-lock.json',
  '.ci/build-renderer.mjs',
];

function digestOfSources() {
  const hash = createHash('sha256');
  const take = (path) => {
    const whole = join(root, path);
    if (!existsSync(whole)) return;
    const entries = path.includes('.') && !path.endsWith('/') ? undefined : readdirSync(whole, { withFileTypes: true });
    if (entries === undefined) {
      hash.update(`${path}\0`).update(readFileSync(whole)).update('\0');
      return;
    }
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.isDirectory()) take(`${path}/${entry.name}`);
      else
        hash
          .update(`${path}/${entry.name}\0`)
          .update(readFileSync(join(whole, entry.name)))
          .update('\0');
    }
  };
  for (const path of inputs) take(path);
  return hash.digest('hex');
}

/** Whether the console is there as its sources are now. */
export function isConsoleBuilt() {
  return existsSync(join(output, 'index.html')) && existsSync(stamp) && readFileSync(stamp, 'utf8').trim() === digestOfSources();
}

export async function buildConsole() {
  if (isConsoleBuilt()) return;
  const digest = digestOfSources();
  // What people get, also where tests have it built.
  process.env.NODE_ENV = 'production';
  const [{ build }, { default: react }] = await Promise.all([import('vite'), import('@vitejs/plugin-react')]);
  // Beside the place, and then into it: never half a console where it is served from.
  const fresh = join(root, 'dist', `.renderer-${process.pid}`);
  mkdirSync(dirname(output), { recursive: true });
  await build({
    root: source,
    base: '/',
    configFile: false,
    envDir: false,
    publicDir: false,
    logLevel: 'warn',
    plugins: [react()],
    // Its package.json names a module that is not in the package.
    resolve: { alias: { '@xterm/headless': join(root, 'node_modules', '@xterm/headless', 'lib-headless/xterm-headless.js') } },
    build: {
      outDir: fresh,
      emptyOutDir: true,
      target: ['chrome120', 'firefox121', 'safari17'],
      sourcemap: false,
      // No script, style or font in an address: the content security policy knows files alone.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      chunkSizeWarningLimit: 900,
      // Zod is told not to make code before anything makes a schema.
      rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'zod', test: /node_modules\/zod\/|without-eval/ }] } } },
    },
  });
  rmSync(output, { recursive: true, force: true });
  renameSync(fresh, output);
  writeFileSync(stamp, `${digest}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildConsole();
