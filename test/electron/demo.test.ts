import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { demoCommand, demoIn, startDemo } from '../../electron/demo/start-demo.ts';
import { desktopHost } from '../../renderer/app/host/desktop-host.ts';
import { Belongings } from '../support/temp.ts';
import { openTestDesk } from './test-desk.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

const root = join(import.meta.dirname, '../..');

describe('the demo gateway', () => {
  it('of a checkout is started, trusted and logged in to, all by one click', async () => {
    const command = demoCommand(root);
    if (command === undefined) throw new Error('this checkout has no demo');
    const folder = belongings.directory('demo');
    const test = await openTestDesk(belongings, {
      startDemo: async () => {
        const demo = await startDemo(command, folder);
        belongings.add(() => demo.stop());
        return demo;
      },
    });
    const host = await desktopHost(test.page);
    await host.door.desktop?.startDemo?.();
    expect(await host.door.gateways()).toMatchObject([{ name: 'Demo on this machine', current: true }]);
    expect((await host.transport.request('/api/whoami', { method: 'GET', headers: {} })).status).toBe(200);
    // Nobody need compare a certificate that comes from a process of our own.
    expect(test.asked).toEqual([]);
  });

  it('is not offered where there is none', async () => {
    expect(demoCommand(belongings.directory('no-checkout'))).toBeUndefined();
    const test = await openTestDesk(belongings);
    expect((await desktopHost(test.page)).door.desktop?.startDemo).toBeUndefined();
    expect(await test.refusal('demo.start', {})).toBe('NOT_FOUND');
  });

  it('that does not start is told of with what it said', async () => {
    const folder = belongings.directory('broken');
    mkdirSync(folder, { recursive: true });
    const program = join(folder, 'node');
    writeFileSync(program, '#!/bin/sh\necho "the disk is full" >&2\nexit 3\n');
    chmodSync(program, 0o755);
    await expect(startDemo({ program, args: [] }, folder)).rejects.toMatchObject({
      code: 'GATEWAY_UNREACHABLE',
      message: expect.stringMatching(/ended with 3: the disk is full/),
    });
    await expect(startDemo({ program: join(folder, 'missing'), args: [] }, folder)).rejects.toMatchObject({ code: 'GATEWAY_UNREACHABLE' });
  });

  it('is not there before it has said all of it', () => {
    const fingerprint = Array(32).fill('AB').join(':');
    const whole = `The console: https://127.0.0.1:4321/#code=abcdefgh1234\nSHA-256 ${fingerprint}\nPress Ctrl-C to stop.\n`;
    expect(demoIn(whole)).toEqual({ origin: 'https://127.0.0.1:4321', fingerprint, code: 'abcdefgh1234' });
    expect(demoIn(whole.replace('Press Ctrl-C to stop.\n', ''))).toBeUndefined();
    expect(demoIn(whole.replace('127.0.0.1', 'evil.example'))).toBeUndefined();
  });
});
