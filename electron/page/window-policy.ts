import { isAppAddress } from './app-origin.ts';

/*
 * What a window may do, decided without a window (Electron's security checklist, 4 to 19). All of it is no, with the few
 * exceptions that stand here.
 */

/** `webPreferences` of every window; the sandbox is on for the whole app besides. */
export const webPreferences = {
  contextIsolation: true,
  sandbox: true,
  nodeIntegration: false,
  nodeIntegrationInWorker: false,
  nodeIntegrationInSubFrames: false,
  webSecurity: true,
  allowRunningInsecureContent: false,
  experimentalFeatures: false,
  webviewTag: false,
  navigateOnDragDrop: false,
  safeDialogs: true,
  spellcheck: false,
  enableWebSQL: false,
  disableDialogs: true,
} as const;

/** The page moves within itself without loading anything; the one thing that may be loaded is itself, anew. */
export function mayNavigate(to: string): boolean {
  return isAppAddress(to);
}

/** Nothing opens windows, not even our own page. */
export function mayOpenWindow(): false {
  return false;
}

/** Whatever a page asks the system for: clipboard, notifications and the rest go over the bridge, or not at all. */
export function mayHave(_permission: string): false {
  return false;
}

/** A `<webview>` would be a window without this policy. */
export function mayAttachWebview(): false {
  return false;
}

/** What the window itself loads, beside the app's scheme: nothing from a network, and no file. */
export function mayLoad(address: string): boolean {
  const protocol = URL.parse(address)?.protocol;
  return isAppAddress(address) || protocol === 'data:' || protocol === 'blob:' || protocol === 'devtools:';
}

/** Where a log-in takes the person, in the system's own browser: https, or a provider on this machine. */
export function mayOpenOutside(address: string): boolean {
  const url = URL.parse(address);
  if (url === null || url.username !== '' || url.password !== '') return false;
  const isLoopback = url.hostname === 'localhost' || url.hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(url.hostname);
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback);
}

/** Only where the app is being worked on. */
export function mayInspect({ isPackaged }: { readonly isPackaged: boolean }): boolean {
  return !isPackaged;
}
