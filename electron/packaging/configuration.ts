import { join } from 'node:path';
import type { AfterPackContext, Configuration } from 'electron-builder';
import { burnFuses } from './fuses.ts';

/** Paths here are relative to the root of the checkout. */
export const root = join(import.meta.dirname, '..', '..');
/** Two bundled scripts, the page, the icons and a package.json: nothing else goes into the archive. */
export const stagedApp = 'dist/desktop-app';
const icons = 'electron/icons/generated';
/** Of Linux; `sallyport` is the command line. */
const EXECUTABLE = 'sallyport-desktop';

/** Where new versions are looked for; without one, nothing is looked for. */
const feed = process.env.SALLYPORT_UPDATE_FEED;

export const configuration: Configuration = {
  appId: 'dev.sallyport.desktop',
  productName: 'Sallyport',
  copyright: 'Apache-2.0',
  directories: { app: stagedApp, output: 'dist/desktop', buildResources: icons },
  files: ['**/*', '!**/*.map'],
  asar: true,
  // There is nothing native in it, and nothing to install.
  npmRebuild: false,
  nodeGypRebuild: false,
  buildDependenciesFromSource: false,
  electronLanguages: ['en-US'],
  publish: feed === undefined ? null : { provider: 'generic', url: feed },
  protocols: [{ name: 'Sallyport', schemes: ['sallyport'], role: 'Viewer' }],
  // `.zip` stays with whoever has it: a bundle is opened by "Open with", or is named `.sallyport`.
  fileAssociations: [
    { ext: 'sallyport', name: 'Sallyport evidence bundle', mimeType: 'application/vnd.sallyport.bundle+zip', role: 'Viewer' },
  ],
  afterPack: burn,
  linux: {
    target: ['AppImage', 'deb'],
    icon: icons,
    category: 'Security',
    executableName: EXECUTABLE,
    synopsis: 'Console of the Sallyport bastion',
    maintainer: 'Sallyport',
  },
  deb: {
    depends: ['libgtk-3-0', 'libnotify4', 'libnss3', 'libxss1', 'libxtst6', 'xdg-utils', 'libatspi2.0-0', 'libuuid1', 'libsecret-1-0'],
  },
  mac: {
    target: ['dmg'],
    icon: join(icons, 'icon.icns'),
    category: 'public.app-category.developer-tools',
    hardenedRuntime: true,
    darkModeSupport: true,
  },
  dmg: { writeUpdateInfo: false },
  win: { target: ['nsis'], icon: join(icons, 'icon.ico') },
  nsis: { oneClick: false, perMachine: false, allowToChangeInstallationDirectory: true, deleteAppDataOnUninstall: false },
};

/** Before anything is signed. */
async function burn({ appOutDir, electronPlatformName, packager }: AfterPackContext): Promise<void> {
  const { productFilename } = packager.appInfo;
  const binaries: Readonly<Record<string, string>> = {
    darwin: `${productFilename}.app`,
    win32: `${productFilename}.exe`,
    linux: EXECUTABLE,
  };
  const binary = binaries[electronPlatformName];
  if (binary === undefined) throw new TypeError(`nobody has said where the binary is on ${electronPlatformName}`);
  await burnFuses(join(appOutDir, binary), electronPlatformName === 'darwin');
}
