import { app, type Session, session, type WebContents } from 'electron';
import { mayAttachWebview, mayHave, mayLoad, mayNavigate, mayOpenWindow } from '../page/window-policy.ts';
import { log } from './log.ts';

/** The decisions are those of page/window-policy.ts; here they are only hung up where Electron asks. */
export function guardEverything(): void {
  app.on('web-contents-created', (_event, contents) => guardContents(contents));
  // The page has no connection of its own: whoever asks for these is not it.
  app.on('certificate-error', (event, _contents, _url, _error, _certificate, callback) => {
    event.preventDefault();
    callback(false);
  });
  app.on('select-client-certificate', (event, _contents, _url, _list, callback) => {
    event.preventDefault();
    callback();
  });
  app.on('login', (event, _contents, _details, _auth, callback) => {
    event.preventDefault();
    callback();
  });
}

export function guardSession(guarded: Session = session.defaultSession): void {
  guarded.setPermissionRequestHandler((_contents, permission, callback) => callback(mayHave(permission)));
  guarded.setPermissionCheckHandler((_contents, permission) => mayHave(permission));
  guarded.setDevicePermissionHandler(({ deviceType }) => mayHave(deviceType));
  guarded.setDisplayMediaRequestHandler((_request, callback) => callback({}));
  guarded.setBluetoothPairingHandler((_details, callback) => callback({ confirmed: false }));
  guarded.webRequest.onBeforeRequest(({ url }, callback) => callback({ cancel: !mayLoad(url) }));
  guarded.on('will-download', (event) => event.preventDefault());
  // Otherwise dictionaries would be fetched from somewhere.
  guarded.setSpellCheckerEnabled(false);
}

function guardContents(contents: WebContents): void {
  for (const happening of ['will-navigate', 'will-frame-navigate', 'will-redirect'] as const) {
    contents.on(happening as 'will-navigate', (event) => {
      if (mayNavigate(event.url)) return;
      event.preventDefault();
      log(`a navigation was refused: ${event.url.slice(0, 200)}`);
    });
  }
  contents.on('will-attach-webview', (event) => {
    if (!mayAttachWebview()) event.preventDefault();
  });
  contents.setWindowOpenHandler(() => ({ action: mayOpenWindow() ? 'allow' : 'deny' }));
}
