import { build, createTargets, Platform } from 'electron-builder';
import { configuration, root } from './configuration.ts';
import { stageApp } from './stage-app.ts';

/*
 * Packages the desktop app for this system, after `npm run build`: npm run package:desktop
 * AppImage and deb on Linux, dmg on a Mac, NSIS on Windows. electron-builder fetches the Electron of each.
 */
await stageApp();
await build({ projectDir: root, config: configuration, targets: createTargets([Platform.current()]), publish: 'never' });
