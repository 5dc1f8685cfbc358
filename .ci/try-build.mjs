// Runs the demo of the built gateway (dist/): a session through it, recorded, sealed, read back, exported and verified.
// Proves that the package has every file it needs, the threads and the bundle's page and script included, and that it
// stops when asked. The tests run on the source, not on this.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../dist/gateway/main.js', import.meta.url));
const patience = { signal: AbortSignal.timeout(60_000) };
const folder = mkdtempSync(join(tmpdir(), 'sallyport-build-'));
const data = join(folder, 'data');
let demo;

/** The demo ends its introduction with what to type next, `transcript SESSION` among it; it begins with where the console is. */
function introduced(standardOutput) {
  return new Promise((done) => {
    let text = '';
    standardOutput.on('data', (bytes) => {
      text += bytes;
      const console = /https:\S+(?=\s)/.exec(text);
      const found = /sallyport transcript (\S+)/.exec(text);
      if (console !== null && found !== null) done({ session: found[1], origin: new URL(console[0]).origin });
    });
  });
}

/** What a browser gets there, whose certificate the gateway has just made. */
function pageAt(address) {
  return new Promise((done, failed) => {
    const options = { rejectUnauthorized: false, headers: { accept: 'text/html' }, ...patience };
    const asked = request(address, options, (response) => {
      let text = '';
      response.on('data', (bytes) => {
        text += bytes;
      });
      response.on('end', () => done(`${response.statusCode} ${text}`));
    });
    asked.on('error', failed).end();
  });
}

function demand(truth, otherwise) {
  if (!truth) throw new Error(otherwise);
}

try {
  demo = spawn(process.execPath, [main, 'demo', '--data', folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(demo, 'exit', patience);
  const tooSoon = ended.then(([status]) => Promise.reject(new Error(`it ended with ${status} before it was ready`)));
  const { session, origin } = await Promise.race([introduced(demo.stdout), tooSoon]);
  tooSoon.catch(() => undefined);
  const page = await pageAt(`${origin}/sessions`);
  const script = /src="(\/assets\/[^"]+\.js)"/.exec(page)?.[1];
  demand(page.startsWith('200 ') && script !== undefined, `its console is ${JSON.stringify(page.slice(0, 200))}`);
  demand((await pageAt(`${origin}${script}`)).startsWith('200 '), 'its console lacks its script');

  demo.kill('SIGTERM');
  const [status] = await ended;
  demand(status === 0, `it ended with ${status} when asked to stop`);

  const sealed = readdirSync(join(data, 'recordings'), { recursive: true }).filter((path) => path.endsWith('.cast.zst'));
  demand(sealed.length > 0, 'no recording was sealed');
  const transcript = execFileSync(process.execPath, [main, 'transcript', session, '--data', data], { encoding: 'utf8' });
  demand(transcript.includes('Linux '), `the transcript of its first session is ${JSON.stringify(transcript)}`);

  const bundle = join(folder, 'bundle.zip');
  execFileSync(process.execPath, [main, 'export', '--data', data, '-o', bundle], { stdio: ['ignore', 'ignore', 'inherit'] });
  execFileSync(process.execPath, [main, 'verify', bundle], { stdio: ['ignore', 'ignore', 'inherit'] });
  const files = execFileSync('unzip', ['-Z1', bundle], { encoding: 'utf8' }).split('\n');
  for (const file of ['data/verify.sh', 'data/index.html', 'data/page/app.js']) demand(files.includes(file), `its bundle has no ${file}`);
  process.stdout.write('The built gateway records, shows its console, seals, replays, exports, verifies and stops.\n');
} catch (error) {
  process.stderr.write(`The built gateway does not work: ${error.message}\n`);
  process.exitCode = 1;
} finally {
  demo?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
