import { app } from 'electron';
import { LINK_SCHEME } from '../../contract/deep-link.ts';

/** Who this app is to the system: its links, its name in the task bar, what is said about it. */
export function registerWithSystem(): void {
  // From a checkout it would be Electron itself that is registered, for everybody's links.
  if (app.isPackaged) app.setAsDefaultProtocolClient(LINK_SCHEME);
  if (process.platform === 'win32') app.setAppUserModelId('dev.sallyport.desktop');
  app.setAboutPanelOptions({
    applicationName: 'Sallyport',
    applicationVersion: app.getVersion(),
    copyright: 'Apache-2.0',
  });
}
