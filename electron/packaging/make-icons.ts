import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { icnsOf, icoOf, type Picture } from './icon-files.ts';

/*
 * Draws the icons of the app from the two pictures in electron/icons, with Chromium: node electron/packaging/make-icons.ts
 * What comes of it is committed, so that packaging needs no browser.
 */

const folder = join(import.meta.dirname, '..', 'icons');
const output = join(folder, 'generated');
const SIZES = [16, 24, 32, 48, 64, 128, 256, 512, 1024];
const ICO_SIZES = [16, 24, 32, 48, 64, 128, 256];
/** Icons of a Mac have room around them: Apple's grid has 824 of 1024. */
const MAC_SHARE = 824 / 1024;
const DOT = '<circle cx="12.5" cy="3.5" r="3.5" fill="#e0a63a"/>';
/** On a Mac the bar colours the icon: what is not drawn is all that it sees. */
const HOLE = '<mask id="m"><rect width="16" height="16" fill="#fff"/><circle cx="12.5" cy="3.5" r="4.5" fill="#000"/></mask>';

async function draw(page: Page, svg: string, size: number, share = 1): Promise<Buffer> {
  await page.setViewportSize({ width: size, height: size });
  const side = size * share;
  await page.setContent(
    `<!doctype html><style>html,body{margin:0;background:transparent}body{display:grid;place-items:center;height:${size}px}svg{width:${side}px;height:${side}px;display:block}</style>${svg}`,
  );
  return page.screenshot({ omitBackground: true, clip: { x: 0, y: 0, width: size, height: size } });
}

function trayPictures(tray: string): Record<string, string> {
  const black = tray.replaceAll('#45b8ac', '#000');
  const withDot = (svg: string, dot: string): string =>
    svg.replace('<path', `${HOLE}<g mask="url(#m)"><path`).replace('</svg>', `</g>${dot}</svg>`);
  return {
    'tray-idle': tray,
    'tray-waiting': withDot(tray, DOT),
    'tray-idleTemplate': black,
    'tray-waitingTemplate': withDot(black, DOT.replace('#e0a63a', '#000')),
  };
}

async function main(): Promise<void> {
  const [icon, tray] = await Promise.all(['icon.svg', 'tray.svg'].map((name) => readFile(join(folder, name), 'utf8')));
  if (icon === undefined || tray === undefined) throw new TypeError('there are two pictures');
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
  try {
    const page = await browser.newPage();
    await rm(output, { recursive: true, force: true });
    await mkdir(output, { recursive: true });
    const place = (name: string, bytes: Buffer | string): Promise<void> => writeFile(join(output, name), bytes);
    const [flat, mac]: [Picture[], Picture[]] = [[], []];
    for (const size of SIZES) {
      flat.push({ size, png: await draw(page, icon, size) });
      mac.push({ size, png: await draw(page, icon, size, MAC_SHARE) });
    }
    for (const { size, png } of flat) await place(`${size}x${size}.png`, png);
    await place('icon.ico', icoOf(flat.filter(({ size }) => ICO_SIZES.includes(size))));
    await place('icon.icns', icnsOf(mac));
    for (const [name, svg] of Object.entries(trayPictures(tray))) {
      await place(`${name}.png`, await draw(page, svg, 16));
      await place(`${name}@2x.png`, await draw(page, svg, 32));
    }
    await place('made-from.txt', `${digestOf(icon, tray)}\n`);
  } finally {
    await browser.close();
  }
}

/** What the pictures were when the icons were drawn. */
export function digestOf(...pictures: readonly string[]): string {
  return createHash('sha256').update(pictures.join('\0')).digest('hex');
}

if (import.meta.main) await main();
