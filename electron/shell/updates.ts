import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { app } from 'electron';
import { log } from './log.ts';

const EVERY_MILLIS = 6 * 3600 * 1000;

/**
 * Looks for new versions where the app was installed and a feed is configured (electron-builder writes `app-update.yml`
 * then). What is downloaded is verified against the signature of the publisher, and put in place at the next quit.
 */
export async function followUpdates(downloaded: (version: string) => void): Promise<void> {
  if (!app.isPackaged || !existsSync(join(process.resourcesPath, 'app-update.yml'))) return;
  // A package of the distribution is updated by the distribution.
  if (process.platform === 'linux' && process.env.APPIMAGE === undefined) return;
  const { default: updater } = await import('electron-updater');
  const { autoUpdater } = updater;
  autoUpdater.autoDownload = true;
  autoUpdater.autoInstallOnAppQuit = true;
  autoUpdater.allowDowngrade = false;
  autoUpdater.logger = null;
  autoUpdater.on('error', (error) => log('looking for a new version failed', error));
  autoUpdater.on('update-downloaded', ({ version }) => downloaded(version));
  const look = (): void => void autoUpdater.checkForUpdates().catch((thrown: unknown) => log('looking for a new version failed', thrown));
  look();
  setInterval(look, EVERY_MILLIS).unref();
}
