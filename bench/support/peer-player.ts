import { closeSync, createReadStream, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { startBrowser } from '../../test/support/browser.ts';
import type { Belongings } from '../../test/support/temp.ts';
import { TERMINAL } from './captured-work.ts';
import { terminalStory } from './terminal-story.ts';

/** The same output as a cast of so many bytes of it. */
function writeCast(file: string, bytes: number): void {
  const open = openSync(file, 'w');
  let lines = `${JSON.stringify({ version: 3, term: { cols: TERMINAL.cols, rows: TERMINAL.rows } })}\n`;
  let written = 0;
  let before = 0;
  for (const [at, text] of terminalStory()) {
    lines += `[${((at - before) / 1000).toFixed(3)},"o",${JSON.stringify(text)}]\n`;
    before = at;
    written += Buffer.byteLength(text);
    if (lines.length < 1024 * 1024 && written < bytes) continue;
    writeSync(open, lines);
    lines = '';
    if (written >= bytes) break;
  }
  closeSync(open);
}

/** A page with asciinema-player and a recording of so much output, or why it cannot be loaded. */
export async function openPeer(belongings: Belongings, bytes: number, longest: number): Promise<Peer | string> {
  const directory = belongings.directory('peer');
  const file = join(directory, 'work.cast');
  writeCast(file, bytes);
  const server = createServer((request, response) => {
    if (request.url === '/work.cast') {
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': statSync(file).size });
      createReadStream(file).pipe(response);
    } else response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><div id="player"></div>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  belongings.add(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const browser = await startBrowser(belongings);
  const page = await browser.newPage();
  let failure = '';
  page.on('crash', () => {
    failure = 'the tab crashed';
  });
  page.on('console', (message) => {
    if (message.type() === 'error') failure = message.text().slice(0, 200);
  });
  page.on('pageerror', (error) => {
    failure = error.message.slice(0, 200);
  });
  await page.goto(`http://127.0.0.1:${port}/`);
  await page.addScriptTag({ content: readFileSync(bundled('asciinema-player.min.js'), 'utf8') });
  const began = performance.now();
  try {
    const duration = await within(longest, page.evaluate<number>(load), () => failure);
    return {
      page,
      duration,
      openMillis: performance.now() - began,
      seek: (at) => within(longest, page.evaluate<number>(seekTo(at)), () => failure),
    };
  } catch (thrown) {
    await within(10_000, browser.close(), () => '').catch(() => undefined);
    return failure || (thrown instanceof Error ? thrown.message.slice(0, 200) : String(thrown));
  }
}

export interface Peer {
  readonly page: Page;
  readonly duration: number;
  readonly openMillis: number;
  /** Milliseconds that it took. */
  seek(at: number): Promise<number>;
}

/** Run in the page. */
const load = `(async () => {
  const player = AsciinemaPlayer.create('/work.cast', document.getElementById('player'), { preload: true, fit: false });
  window.player = player;
  await player.play();
  await player.pause();
  const duration = await player.getDuration();
  if (typeof duration !== 'number') throw new Error('it does not know how long it is');
  return duration;
})()`;
const seekTo = (at: number) => `(async () => {
  const began = performance.now();
  await window.player.seek(${at});
  return performance.now() - began;
})()`;

async function within<Value>(millis: number, work: Promise<Value>, failure: () => string): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  let watch: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`it took more than ${millis / 1000} s`)), millis);
    watch = setInterval(() => {
      const why = failure();
      if (why !== '') reject(new Error(why));
    }, 200);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    clearInterval(watch);
  }
}

function bundled(file: string): string {
  return createRequire(import.meta.url).resolve(`asciinema-player/dist/bundle/${file}`);
}
