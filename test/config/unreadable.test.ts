import { chmodSync, mkdirSync, openSync, symlinkSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { SallyportError } from '../../gateway/base/errors.ts';
import { loadConfig } from '../../gateway/config.ts';
import { run } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { environment, valid, writeConfig } from './written.ts';

const belongings = new Belongings();
const directory = belongings.directory('config');
afterAll(() => belongings.release());

function errorOf(path: string): SallyportError {
  try {
    loadConfig(path, environment);
  } catch (error) {
    if (error instanceof SallyportError) return error;
    throw error;
  }
  throw new Error(`${path} was taken for a configuration`);
}

describe('what is no file to read is refused as unreadable', () => {
  test('a file that is not there', () => {
    const error = errorOf(join(directory, 'none.yaml'));
    expect(error.code).toBe('CONFIG_UNREADABLE');
    expect(error.message).toBe(`${directory}/none.yaml cannot be opened: there is no such file`);
    expect(error.remedy).toContain('Check the path');
  });

  test('a directory', () => {
    const error = errorOf(directory);
    expect([error.code, error.message]).toEqual(['CONFIG_UNREADABLE', `${directory} is a directory`]);
  });

  test('a symbolic link that leads round in a circle', () => {
    symlinkSync('circle.yaml', join(directory, 'circle.yaml'));
    expect(errorOf(join(directory, 'circle.yaml')).code).toBe('CONFIG_UNREADABLE');
  });

  test('a named pipe that nobody writes to, without waiting', async () => {
    const pipe = join(directory, 'pipe.yaml');
    expect(await run('mkfifo', [pipe])).toMatchObject({ status: 0 });
    expect(errorOf(pipe).message).toBe(`${pipe} is not a regular file`);
  });

  test('a device that never ends', () => {
    expect(errorOf('/dev/zero').message).toBe('/dev/zero is not a regular file');
  });

  test('a file of 100 MB, without reading it', () => {
    const path = writeConfig(directory, valid, 'large.yaml');
    truncateSync(path, 100_000_000);
    const before = process.memoryUsage.rss();
    const error = errorOf(path);
    expect([error.code, error.message]).toEqual([
      'CONFIG_UNREADABLE',
      `${path} has 100000000 bytes, and a configuration has at most 4194304`,
    ]);
    expect(process.memoryUsage.rss() - before).toBeLessThan(80 * 1024 * 1024);
  });

  test('a file that says it is empty and never ends', () => {
    // Files of procfs have a size of 0, whatever they hold; the map of this process's memory is a text.
    expect(errorOf('/proc/self/maps').code).toBe('CONFIG_INVALID');
  });

  test('a file that only another user may read', async () => {
    const closed = belongings.directory('closed');
    const path = writeConfig(closed, valid);
    chmodSync(closed, 0o755);
    chmodSync(path, 0o600);
    if (process.getuid?.() === 0) {
      // Root may read everything, so somebody else asks.
      const script = `import { loadConfig } from ${JSON.stringify(new URL('../../gateway/config.ts', import.meta.url).pathname)};
        process.setuid(65534); try { loadConfig(process.argv[1]); } catch (error) { console.log(error.code + ': ' + error.message); }`;
      const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script, path]);
      expect(stdout.toString()).toBe(`CONFIG_UNREADABLE: ${path} cannot be opened: permission is denied\n`);
    } else {
      chmodSync(path, 0o000);
      expect(errorOf(path).message).toBe(`${path} cannot be opened: permission is denied`);
    }
  });
});

describe('what is no text is refused as invalid', () => {
  test('a file that is not UTF-8', () => {
    const path = writeConfig(directory, Buffer.from('gateway: { name: "caf\xe9" }\n', 'latin1'), 'latin.yaml');
    expect([errorOf(path).code, errorOf(path).message]).toEqual([
      'CONFIG_INVALID',
      `${path}:1:1: the file is not UTF-8. Save it as UTF-8 text.`,
    ]);
  });

  test('a program', () => {
    expect(errorOf(process.execPath).code).toBe('CONFIG_UNREADABLE');
    const path = join(directory, 'program.yaml');
    const file = openSync(path, 'w');
    writeSync(file, Buffer.from('7f454c4602010100', 'hex'));
    expect(errorOf(path).message).toContain('there is a control character');
  });

  test('a file that everybody may change', () => {
    const path = writeConfig(directory, valid, 'open.yaml');
    chmodSync(path, 0o666);
    expect(errorOf(path).message).toBe(`${path}:1:1: everybody may change this file, and so decide who enters. Run: chmod o-w ${path}`);
  });
});

describe("what a secret's file has to be", () => {
  const withFile = (name: string, content: string | Uint8Array, mode: number, extra = '') => {
    const place = belongings.directory('secret');
    mkdirSync(join(place, 'keys'));
    writeFileSync(join(place, 'keys', name), content);
    chmodSync(join(place, 'keys', name), mode);
    const path = writeConfig(place, valid.replace('{ env: WEB_PASSWORD }', `{ file: keys/${name} }${extra}`));
    return errorOf(path).message.replaceAll(`${place}/`, '');
  };

  test('readable by its owner and group only', () => {
    expect(withFile('web', 'secret\n', 0o644)).toBe(
      'gateway.yaml:13:17: the file keys/web can be read by everybody or changed by others. Run: chmod 600 keys/web',
    );
    expect(withFile('web', 'secret\n', 0o620)).toContain('changed by others');
  });

  test('not empty', () => {
    expect(withFile('web', '\n', 0o600)).toBe('gateway.yaml:13:17: the file keys/web is empty. Put the secret in it.');
  });

  test('not large', () => {
    expect(withFile('web', 'x'.repeat(65_537), 0o600)).toContain('the file keys/web has more than 65536 bytes');
  });

  test('text', () => {
    expect(withFile('web', Buffer.from([0xff, 0xfe]), 0o600)).toContain('the file keys/web is not text');
  });

  test('a key that can be opened', async () => {
    const place = belongings.directory('encrypted');
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'open sesame', '-f', join(place, 'web')]);
    const content = valid.replace('{ env: WEB_PASSWORD }', '{ file: web }');
    expect(errorOf(writeConfig(place, content)).message).toBe(
      `${place}/gateway.yaml:13:17: the private key in the file ${place}/web is encrypted, and the target has no passphrase. Add passphrase: { env: NAME } or { file: PATH }.`,
    );
    const opened = content.replace('{ file: web }', '{ file: web }\n    passphrase: { env: WEB_PASSWORD }');
    expect(loadConfig(writeConfig(place, opened), environment).targets.size).toBe(1);
  });
});
