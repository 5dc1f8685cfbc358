// `npm start`: the demo, and, where somebody sits at a display, the desktop app if Electron is installed, or else the console
// in a browser. The gateway itself starts no program.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasCommand } from './debian-packages.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const demo = spawn(process.execPath, [join(root, 'gateway', 'main.ts'), 'demo', ...process.argv.slice(2)], {
  stdio: ['inherit', 'pipe', 'inherit'],
});
// Ctrl-C reaches both; this one waits for the other.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => signal === 'SIGTERM' && demo.kill(signal));
demo.on('exit', (status) => process.exit(status ?? 1));

let said = '';
let opened = false;
demo.stdout.on('data', (bytes) => {
  process.stdout.write(bytes);
  if (opened) return;
  said += bytes;
  const address = /https:\/\/127\.0\.0\.1:\d+\/#code=[\w-]+(?=\s)/.exec(said)?.[0];
  if (address === undefined || !said.includes('Ctrl-C')) return;
  opened = true;
  show(address).catch(notShown);
});

async function show(address) {
  if (process.env.SALLYPORT_NO_BROWSER !== undefined || !process.stdout.isTTY) return;
  const { electronBinary, hasDisplay } = await import('../electron/packaging/electron-binary.ts');
  if (electronBinary(root) === undefined || !hasDisplay()) return openBrowser(address);
  await once(spawn(process.execPath, [join(root, '.ci', 'build-desktop.mjs')], { stdio: ['ignore', 'ignore', 'inherit'] }), 'exit');
  const app = spawn(process.execPath, [join(root, 'electron', 'packaging', 'start-app.ts')], { stdio: ['ignore', 'ignore', 'inherit'] });
  app.on('error', notShown);
  process.stdout.write(
    `\nThe desktop app opens. Have it connect to ${new URL(address).origin}, compare the SHA-256, and paste the address from above.\n`,
  );
}

/** What shows an address to whoever sits here; undefined where nothing does. */
function opener() {
  if (process.platform === 'darwin') return 'open';
  const display = process.env.WAYLAND_DISPLAY ?? process.env.DISPLAY ?? '';
  return process.platform === 'linux' && display !== '' && hasCommand('xdg-open') ? 'xdg-open' : undefined;
}

/**
 * Everybody on this machine can see the arguments of a program, and a browser that warns of the certificate waits with the
 * code in them. So it is given an address that leads to the console once, at once.
 */
async function openBrowser(address) {
  const program = opener();
  if (program === undefined) return;
  const path = `/${randomBytes(16).toString('hex')}`;
  const server = createServer((request, response) => {
    const isIt = request.url === path && request.headers.host === `127.0.0.1:${server.address().port}`;
    response
      .writeHead(isIt ? 303 : 404, { 'cache-control': 'no-store', connection: 'close', ...(isIt ? { location: address } : {}) })
      .end();
    if (isIt) server.close();
  });
  server.unref();
  await new Promise((done, failed) => server.on('error', failed).listen(0, '127.0.0.1', done));
  const child = spawn(program, [`http://127.0.0.1:${server.address().port}${path}`], { stdio: 'ignore', detached: true });
  child.on('error', notShown);
  child.unref();
}

function notShown(error) {
  process.stderr.write(`The console could not be opened: ${error.message}\n`);
}
