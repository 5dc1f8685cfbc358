import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FuseV1Options, FuseVersion, getCurrentFuseWire } from '@electron/fuses';
import { validateConfiguration } from 'app-builder-lib/out/util/config/config.js';
import { afterAll, describe, expect, it } from 'vitest';
import { LINK_SCHEME } from '../../contract/deep-link.ts';
import { configuration, root } from '../../electron/packaging/configuration.ts';
import { electronBinary, hasDisplay } from '../../electron/packaging/electron-binary.ts';
import { burnFuses, fuses } from '../../electron/packaging/fuses.ts';
import { digestOf } from '../../electron/packaging/make-icons.ts';
import { Belongings } from '../support/temp.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

const icons = join(root, 'electron/icons');

/** What it tells about itself nobody reads. */
const quiet = { isEnabled: false, add: () => undefined } as never;

/** Width, height and whether there is transparency, of a PNG. */
function pngFacts(bytes: Buffer) {
  expect(bytes.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20), alpha: (bytes.readUInt8(25) & 4) !== 0 };
}

describe('the packages of the desktop app', () => {
  it('are described as electron-builder understands it', async () => {
    await validateConfiguration(configuration, quiet);
  });

  it('are made for every system, with what is there', () => {
    expect([configuration.linux?.target, configuration.mac?.target, configuration.win?.target]).toEqual([
      ['AppImage', 'deb'],
      ['dmg'],
      ['nsis'],
    ]);
    const named = [configuration.linux?.icon, configuration.mac?.icon, configuration.win?.icon, configuration.directories?.buildResources];
    for (const path of named) expect([path, existsSync(join(root, String(path)))]).toEqual([path, true]);
  });

  it('register our links, and take no .zip away from anybody', () => {
    expect(configuration.protocols).toMatchObject([{ schemes: [LINK_SCHEME] }]);
    expect(configuration.fileAssociations).toMatchObject([{ ext: 'sallyport' }]);
  });

  it('have in them an archive, and no package of the gateway', () => {
    expect(configuration).toMatchObject({ asar: true, npmRebuild: false, directories: { app: 'dist/desktop-app' } });
  });
});

describe('the fuses', () => {
  const names = Object.entries(FuseV1Options).filter((entry): entry is [string, FuseV1Options] => typeof entry[1] === 'number');

  it('are all decided on', () => {
    expect(fuses.strictlyRequireAllFuses).toBe(true);
    for (const [name, fuse] of names) expect([name, typeof fuses[fuse]]).toEqual([name, 'boolean']);
  });

  it('leave no way to have the binary run something else', () => {
    expect(fuses).toMatchObject({
      [FuseV1Options.RunAsNode]: false,
      [FuseV1Options.EnableNodeOptionsEnvironmentVariable]: false,
      [FuseV1Options.EnableNodeCliInspectArguments]: false,
      [FuseV1Options.EnableEmbeddedAsarIntegrityValidation]: true,
      [FuseV1Options.OnlyLoadAppFromAsar]: true,
      [FuseV1Options.EnableCookieEncryption]: true,
      [FuseV1Options.GrantFileProtocolExtraPrivileges]: false,
    });
  });

  it('are burnt into the binary that afterPack is given, and packaging fails when it has one more', async () => {
    const folder = belongings.directory('fuses');
    const wire = (count: number): Buffer =>
      Buffer.concat([
        Buffer.from('before dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX'),
        Buffer.of(1, count),
        Buffer.alloc(count, '1'),
        Buffer.from(' after'),
      ]);
    const binary = join(folder, 'sallyport-desktop');
    writeFileSync(binary, wire(names.length));
    const afterPack = configuration.afterPack as (context: object) => Promise<void>;
    await afterPack({ appOutDir: folder, electronPlatformName: 'linux', packager: { appInfo: { productFilename: 'Sallyport' } } });
    const burnt = await getCurrentFuseWire(binary);
    expect(burnt.version).toBe(FuseVersion.V1);
    for (const [name, fuse] of names) expect([name, String.fromCharCode(burnt[fuse] ?? 0)]).toEqual([name, fuses[fuse] ? '1' : '0']);

    writeFileSync(binary, wire(names.length + 1));
    await expect(burnFuses(binary, false)).rejects.toThrow();
  });
});

describe('the icons', () => {
  const generated = join(icons, 'generated');
  const read = (name: string): Buffer => readFileSync(join(generated, name));

  it('are drawn from the pictures as they are now', () => {
    const pictures = ['icon.svg', 'tray.svg'].map((name) => readFileSync(join(icons, name), 'utf8'));
    expect(read('made-from.txt').toString().trim()).toBe(digestOf(...pictures));
  });

  it('have the sizes that they say', () => {
    const sized = readdirSync(generated).filter((name) => /^\d+x\d+\.png$/.test(name));
    expect(sized).toHaveLength(9);
    for (const name of sized) {
      const size = Number.parseInt(name, 10);
      expect([name, pngFacts(read(name))]).toEqual([name, { width: size, height: size, alpha: true }]);
    }
    for (const name of ['tray-idle', 'tray-waiting', 'tray-idleTemplate', 'tray-waitingTemplate']) {
      expect(pngFacts(read(`${name}.png`))).toEqual({ width: 16, height: 16, alpha: true });
      expect(pngFacts(read(`${name}@2x.png`))).toEqual({ width: 32, height: 32, alpha: true });
    }
    expect(read('tray-idle.png').equals(read('tray-waiting.png'))).toBe(false);
  });

  it('are in one file for Windows and in one for a Mac', () => {
    const ico = read('icon.ico');
    const sizes = Array.from({ length: ico.readUInt16LE(4) }, (_, index) => {
      const at = 6 + 16 * index;
      const [length, offset] = [ico.readUInt32LE(at + 8), ico.readUInt32LE(at + 12)];
      const { width } = pngFacts(ico.subarray(offset, offset + length));
      expect(ico.readUInt8(at)).toBe(width % 256);
      return width;
    });
    expect(sizes).toEqual([16, 24, 32, 48, 64, 128, 256]);

    const icns = read('icon.icns');
    expect([icns.toString('latin1', 0, 4), icns.readUInt32BE(4)]).toEqual(['icns', icns.length]);
    const found: Record<string, number> = {};
    for (let at = 8; at < icns.length; at += icns.readUInt32BE(at + 4))
      found[icns.toString('latin1', at, at + 4)] = pngFacts(icns.subarray(at + 8)).width;
    expect(found).toEqual({ icp4: 16, icp5: 32, ic11: 32, ic12: 64, ic07: 128, ic08: 256, ic13: 256, ic09: 512, ic14: 512, ic10: 1024 });
  });
});

describe('the Electron of a checkout', () => {
  it('is found where the package has it, and is not fetched where there is none', () => {
    const checkout = belongings.directory('checkout');
    expect(electronBinary(checkout, {})).toBeUndefined();
    expect(electronBinary(checkout, { ELECTRON_OVERRIDE_DIST_PATH: checkout })).toBeUndefined();
    writeFileSync(join(checkout, 'electron'), '');
    expect(electronBinary(checkout, { ELECTRON_OVERRIDE_DIST_PATH: checkout })).toBe(join(checkout, 'electron'));
  });

  it('needs somebody who draws its windows', () => {
    expect([hasDisplay({}, 'linux'), hasDisplay({ DISPLAY: ':0' }, 'linux'), hasDisplay({}, 'darwin')]).toEqual([false, true, true]);
  });
});
