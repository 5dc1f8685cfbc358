import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { electronBinary, hasDisplay } from './electron-binary.ts';

/* Starts the desktop app of this checkout, after it was built: npm run app */

const root = join(import.meta.dirname, '..', '..');
const instead = 'open the console in a browser instead: "npm start" says where';

/** Why it cannot be started here; undefined when it can. */
function hindrance(binary: string | undefined): string | undefined {
  if (binary === undefined)
    return `There is no Electron binary here (node_modules/electron/dist): ${instead}, or fetch one with "npx install-electron".`;
  if (!hasDisplay()) return `There is no display here: ${instead}.`;
  if (!existsSync(join(root, 'dist', 'electron', 'main.js'))) return 'The app is not built: run "npm run build:desktop" first.';
  return undefined;
}

const binary = electronBinary(root);
const why = hindrance(binary);
if (binary === undefined || why !== undefined) {
  process.stderr.write(`${why ?? ''}\n`);
  process.exitCode = 1;
} else {
  const child = spawn(binary, [join(root, 'dist', 'electron'), ...process.argv.slice(2)], { stdio: 'inherit' });
  child.once('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}
