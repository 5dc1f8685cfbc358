import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { run } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { until } from '../support/wait.ts';
import { InTerminal } from './in-terminal.ts';

/** `npm start` at a terminal of somebody who has a browser. */

const belongings = new Belongings();
afterAll(() => belongings.release());

test('opens the console in the browser by an address that anybody may see: it leads there once, and has no code in it', async () => {
  const directory = belongings.directory('start');
  const opened = join(directory, 'opened');
  writeFileSync(join(directory, 'xdg-open'), `#!/bin/sh\nprintf %s "$1" > ${opened}.part && mv ${opened}.part ${opened}\n`);
  chmodSync(join(directory, 'xdg-open'), 0o755);
  const start = join(import.meta.dirname, '../../.ci/start.mjs');
  const environment = ['DISPLAY=:99', `PATH=${directory}:${process.env.PATH}`, 'ELECTRON_OVERRIDE_DIST_PATH=/nonexistent'];
  const terminal = new InTerminal('env', [...environment, process.execPath, start, '--data', join(directory, 'demo')], { cols: 200 });
  belongings.add(() => terminal.kill('SIGKILL'));
  const address = await until('the browser', async () => (existsSync(opened) ? readFileSync(opened, 'utf8') : undefined));
  expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{32}$/);
  const ask = (url: string, ...more: string[]) => run('curl', ['--silent', '--include', '--max-time', '10', ...more, url]);
  for (const wrong of [ask(new URL('/', address).href), ask(address, '--header', 'Host: elsewhere.example')])
    expect((await wrong).stdout.toString()).toMatch(/^HTTP\/1\.1 404 (?!(?:.|\s)*spc_)/);
  const code = /#code=(spc_[\w-]{22})/.exec(terminal.screen)?.[1];
  expect((await ask(address)).stdout.toString()).toMatch(
    new RegExp(`^HTTP/1\\.1 303 (?:.|\\s)*location: https://127\\.0\\.0\\.1:\\d+/#code=${code}\r$`, 'm'),
  );
  expect((await ask(address)).status).not.toBe(0);
  terminal.type('\u0003');
  expect(await terminal.finished).toBe(0);
  expect(terminal.screen).toContain('Stopped.');
}, 60_000);
