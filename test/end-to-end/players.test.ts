import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { spawn as spawnPty } from 'node-pty';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from '../support/browser.ts';
import { ssh } from '../support/clients.ts';
import { sallyport } from '../support/gateway.ts';
import { onlySession } from '../support/recordings.ts';
import { plainEnvironment, run } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { openWorld, type World } from '../support/world.ts';

const belongings = new Belongings();
let world: World;
let browser: Browser;
beforeAll(async () => {
  world = await openWorld(belongings, { agents: 6 });
  browser = await startBrowser(belongings);
}, 240_000);
afterAll(() => belongings.release());

/** Colours, movement, wide characters, the alternate screen and bytes that are no text. */
const show = [
  'printf "\\033[2J\\033[H"',
  'printf "\\033[3;5H\\033[1;31mred\\033[0m and \\033[44mblue\\033[0m"',
  'printf "\\033[5;1H漢字 ünïcödé 👩‍🚀"',
  'printf "\\033[7;1Hbroken: \\303\\050 \\377 done"',
  'printf "\\033[?1049h\\033[2J\\033[Helsewhere\\033[?1049l"',
  'sleep 0.2',
  'printf "\\033[9;1Hlast line $((6*7))"',
].join('; ');

describe('players', () => {
  it("asciinema's own player plays a recording to its last screen", async () => {
    const route = world.agent();
    expect((await ssh(route, show, { flags: ['-tt'] })).status).toBe(0);
    const { id } = await onlySession(world.gateway.data, route.principal);
    const cast = await sallyport(['cast', id, '--data', world.gateway.data]);
    expect(cast.status, cast.stderr).toBe(0);
    const { screen, duration, markers } = await playInBrowser(cast.stdout.toString());
    expect(screen).toContain('    red and blue');
    expect(screen).toContain('漢字 ünïcödé');
    expect(screen).toMatch(/broken: \ufffd\( \ufffd done/);
    expect(screen).toContain('last line 42');
    expect(screen).not.toContain('elsewhere');
    expect(duration).toBeGreaterThan(0.2);
    expect(markers).toBeGreaterThan(0);
  });

  it('the player plays what no terminal saw: a command with two outputs and binary input', async () => {
    const route = world.agent();
    await ssh(route, 'echo out; echo err >&2; wc -c', { input: Buffer.from(Array.from({ length: 70_000 }, (_, index) => index & 255)) });
    const { id } = await onlySession(world.gateway.data, route.principal);
    const cast = await sallyport(['cast', id, '--data', world.gateway.data]);
    const { screen } = await playInBrowser(cast.stdout.toString());
    expect(screen).toContain('out');
    expect(screen).toContain('err');
    expect(screen).toContain('70000');
  });

  it('the player plays the recording of a terminal of no size', async () => {
    const route = world.agent();
    await ssh(route, 'echo still text', { flags: ['-tt'] });
    const { id } = await onlySession(world.gateway.data, route.principal);
    const cast = await sallyport(['cast', id, '--data', world.gateway.data]);
    expect((await playInBrowser(cast.stdout.toString())).screen).toContain('still text');
  });

  it("Debian's asciinema plays the v2 export", async () => {
    const route = world.agent();
    const done = await ssh(route, show, { flags: ['-tt'] });
    const { id } = await onlySession(world.gateway.data, route.principal);
    const exported = await sallyport(['cast', id, '--format', 'v2', '--data', world.gateway.data]);
    expect(exported.status, exported.stderr).toBe(0);
    const file = join(belongings.directory('v2'), 'session.cast');
    writeFileSync(file, exported.stdout);
    const home = plainEnvironment({ HOME: belongings.directory('home'), TERM: 'xterm' });
    // Even to print, asciinema wants a terminal; `script` gives it one.
    const catted = await run('script', ['-qec', `asciinema cat ${file} > ${file}.out`, '/dev/null'], { env: home });
    expect(catted.status, catted.stdout.toString()).toBe(0);
    expect(readFileSync(`${file}.out`, 'utf8')).toBe(done.stdout.toString());
    const played = await playInTerminal(['play', '-i', '0.1', '-s', '10', file], home);
    expect(played.status).toBe(0);
    expect(played.text).toContain('last line 42');
  });

  it('the segment files themselves are one cast', async () => {
    const route = world.agent();
    await ssh(route, 'seq 1 400000');
    const { id } = await onlySession(world.gateway.data, route.principal);
    const whole = await run('bash', ['-c', `zstd -dcq "${world.gateway.data}"/recordings/*/*/${id}/0/*.cast.zst`]);
    expect(whole.status, whole.stderr).toBe(0);
    const exported = await sallyport(['cast', id, '--data', world.gateway.data]);
    expect(exported.stdout.equals(whole.stdout)).toBe(true);
  });
});

/** Plays a cast to its end in a browser, at high speed; gives the text of the last screen. */
async function playInBrowser(cast: string): Promise<{ screen: string; duration: number; markers: number }> {
  const page = await browser.newPage();
  try {
    await page.setContent('<div id="player"></div>');
    await page.addStyleTag({ path: bundled('asciinema-player.css') });
    await page.addScriptTag({ path: bundled('asciinema-player.min.js') });
    return await page.evaluate(`(${playToTheEnd})(${JSON.stringify(cast)})`);
  } finally {
    await page.close();
  }
}

/** Runs in the page. */
const playToTheEnd = `async (cast) => {
  const place = document.getElementById('player');
  const player = AsciinemaPlayer.create({ data: cast }, place, { speed: 20, idleTimeLimit: 0.5, preload: true, terminalFontFamily: 'monospace' });
  let markers = 0;
  player.addEventListener('marker', () => { markers += 1; });
  const ended = new Promise((resolve, reject) => {
    player.addEventListener('ended', resolve);
    player.addEventListener('error', reject);
    setTimeout(() => reject(new Error('the player did not come to the end: ' + place.innerText)), 20000);
  });
  await player.play();
  await ended;
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  const screen = [...place.querySelectorAll('.ap-line')].map((line) => line.textContent).join('\\n');
  return { screen, duration: await player.getDuration(), markers };
}`;

function bundled(file: string): string {
  return createRequire(import.meta.url).resolve(`asciinema-player/dist/bundle/${file}`);
}

/** Runs asciinema on a terminal, which it needs to play. */
function playInTerminal(args: string[], env: NodeJS.ProcessEnv): Promise<{ status: number; text: string }> {
  const terminal = spawnPty('asciinema', args, { name: 'xterm', cols: 80, rows: 24, env });
  belongings.add(() => terminal.kill());
  let text = '';
  terminal.onData((data) => {
    text += data;
  });
  return new Promise((resolve) => terminal.onExit(({ exitCode }) => resolve({ status: exitCode, text })));
}
