import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../../electron/packaging/configuration.ts';
import { stageApp } from '../../electron/packaging/stage-app.ts';
import { run } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

const dist = join(root, 'dist', 'electron');
let files: string[];

beforeAll(async () => {
  const { status, stderr } = await run(process.execPath, [join(root, '.ci', 'build-desktop.mjs')]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  files = readdirSync(dist).filter((name) => /\.c?js$/.test(name));
});

describe('the built main process', () => {
  it('needs nothing but Electron and what is in Node', () => {
    const needed = files.flatMap((name) => {
      const text = readFileSync(join(dist, name), 'utf8');
      const imports = [
        ...text.matchAll(/^(?:import|export)\b[^;'"]*?(?:from )?["']([^"']+)["'];$/gm),
        ...text.matchAll(/\b(?:__)?require\("([^"]+)"\)/g),
      ];
      return imports.map((found) => (found[1] ?? '').replace(/^node:/, ''));
    });
    const outside = new Set(needed.filter((name) => !name.startsWith('./') && !builtinModules.includes(name)));
    expect([...outside].filter((name) => name !== 'electron')).toEqual([]);
    expect(outside).toContain('electron');
  });

  it('has no path of the machine that it was built on in it', () => {
    for (const name of files) expect([name, readFileSync(join(dist, name), 'utf8').includes(root)]).toEqual([name, false]);
  });

  it('has a preload that is a few lines, in the form that a sandboxed page takes', () => {
    const preload = readFileSync(join(dist, 'preload.cjs'), 'utf8');
    expect(preload.length).toBeLessThan(2000);
    expect([...preload.matchAll(/require\("([^"]+)"\)/g)].map((found) => found[1])).toEqual(['electron']);
  });

  it('brings the licences of what is in it along', () => {
    const licences = readFileSync(join(dist, 'third-party-licences.txt'), 'utf8');
    for (const name of ['zod', 'openid-client', 'electron-updater']) expect(licences).toMatch(new RegExp(`^${name} \\d+\\.`, 'm'));
  });

  it('is put together with the page and its icons for the archive, and nothing besides', async () => {
    const app = await stageApp();
    const { main, type } = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8')) as Record<string, string>;
    expect([main, type, readdirSync(app).toSorted()]).toEqual([
      'electron/main.js',
      'module',
      ['LICENSE', 'electron', 'package.json', 'renderer'],
    ]);
    for (const file of [
      'electron/main.js',
      'electron/preload.cjs',
      'electron/icons/tray-idle.png',
      'electron/icons/256x256.png',
      'renderer/index.html',
    ])
      expect([file, existsSync(join(app, file))]).toEqual([file, true]);
  });

  it('loads, and so does what looks for new versions', async () => {
    const folder = belongings.directory('built');
    const names = [
      'BrowserWindow',
      'Menu',
      'Notification',
      'Tray',
      'clipboard',
      'dialog',
      'ipcMain',
      'nativeImage',
      'nativeTheme',
      'safeStorage',
      'screen',
      'session',
      'shell',
      'net',
    ];
    const stand = join(folder, 'electron.mjs');
    // A second start: it goes as far as to hand over to the first.
    writeFileSync(
      stand,
      `export const app = { on() {}, enableSandbox() {}, requestSingleInstanceLock: () => false, quit() { console.log('handed over'); } };
export const protocol = { registerSchemesAsPrivileged() {} };
${names.map((name) => `export const ${name} = {};`).join('\n')}\n`,
    );
    const hooks = join(folder, 'hooks.mjs');
    writeFileSync(
      hooks,
      `import { registerHooks } from 'node:module';
registerHooks({ resolve: (name, context, next) => name === 'electron' ? { url: ${JSON.stringify(pathToFileURL(stand).href)}, shortCircuit: true } : next(name, context) });\n`,
    );
    const parts = files.filter((name) => name.endsWith('.js')).map((name) => pathToFileURL(join(dist, name)).href);
    const load = `for (const part of ${JSON.stringify(parts.toSorted())}) await import(part);`;
    const { stdout, stderr, status } = await run(process.execPath, [
      '--import',
      pathToFileURL(hooks).href,
      '--input-type=module',
      '-e',
      load,
    ]);
    expect({ stdout: stdout.toString(), stderr, status }).toEqual({ stdout: 'handed over\n', stderr: '', status: 0 });
  });
});
