import { EventEmitter } from 'node:events';
import { vi } from 'vitest';
import { memorySafeStorage } from './test-desk.ts';

/*
 * What the shell uses of Electron, which cannot be had where these tests run: it writes down what it is told, and lets a
 * test be the system. It shows that the shell hangs everything up where it belongs; in-electron.test.ts shows the rest.
 */

/** Hears what it is told, and does nothing. */
export const told = () => vi.fn<(...args: unknown[]) => unknown>();

type Handler = (...args: never[]) => unknown;

/** Everything that happened, in order. */
export const done: string[] = [];
export const handlers = new Map<string, Handler>();
export const windows: FakeWindow[] = [];
export const trays: FakeTray[] = [];
export const notifications: FakeNotification[] = [];
export const opened: string[] = [];
let folder = '';
let lock = true;

export function reset(userData: string, hasLock = true): void {
  for (const list of [done, windows, trays, notifications, opened]) list.length = 0;
  handlers.clear();
  app.removeAllListeners();
  electron.nativeTheme.removeAllListeners();
  folder = userData;
  lock = hasLock;
}

function keep(name: string): (handler: Handler) => void {
  return (handler) => void handlers.set(name, handler);
}

class FakeContents extends EventEmitter {
  readonly mainFrame = { url: 'sallyport-app://console/', parent: null };
  readonly sent: [string, unknown][] = [];
  openHandler: (() => { action: string }) | undefined;
  send(channel: string, message: unknown): void {
    this.sent.push([channel, message]);
  }
  setWindowOpenHandler(handler: () => { action: string }): void {
    this.openHandler = handler;
  }
  getURL(): string {
    return this.mainFrame.url;
  }
  reload(): void {
    done.push('reload');
  }
}

export class FakeWindow extends EventEmitter {
  readonly webContents = new FakeContents();
  readonly options: Record<string, unknown>;
  visible = false;
  constructor(options: Record<string, unknown>) {
    super();
    this.options = options;
    windows.push(this);
    app.emit('web-contents-created', {}, this.webContents);
  }
  loadURL(address: string): Promise<void> {
    done.push(`load ${address}`);
    return Promise.resolve();
  }
  show(): void {
    this.visible = true;
  }
  hide(): void {
    this.visible = false;
  }
  focus(): void {
    done.push('focus');
  }
  isFocused = (): boolean => this.visible;
  isVisible = (): boolean => this.visible;
  isMinimized = (): boolean => false;
  isMaximized = (): boolean => false;
  isFullScreen = (): boolean => false;
  isDestroyed = (): boolean => false;
  getNormalBounds = () => ({ x: 10, y: 20, width: 1200, height: 800 });
}

export class FakeTray extends EventEmitter {
  tooltip = '';
  menu: { label?: string; click?: () => void }[] = [];
  constructor() {
    super();
    trays.push(this);
  }
  setImage = told();
  setTitle = told();
  destroy = told();
  setToolTip(text: string): void {
    this.tooltip = text;
  }
  setContextMenu(menu: FakeTray['menu']): void {
    this.menu = menu;
  }
}

export class FakeNotification extends EventEmitter {
  readonly options: Record<string, unknown>;
  constructor(options: Record<string, unknown>) {
    super();
    this.options = options;
    notifications.push(this);
  }
  show = told();
  close = told();
}

class FakeApp extends EventEmitter {
  readonly isPackaged = true;
  enableSandbox = (): number => done.push('sandbox');
  requestSingleInstanceLock = (): boolean => lock;
  whenReady = async (): Promise<void> => void done.push('ready');
  quit = (): number => done.push('quit');
  exit = (code: number): number => done.push(`exit ${code}`);
  getPath = (): string => folder;
  getName = (): string => 'Sallyport';
  getVersion = (): string => '1.2.3';
  setAsDefaultProtocolClient = (scheme: string): number => done.push(`protocol ${scheme}`);
  setAboutPanelOptions = told();
  showAboutPanel = told();
  setAppUserModelId = told();
  setBadgeCount = told();
}

export const app = new FakeApp();

export const electron = {
  app,
  BrowserWindow: FakeWindow,
  Tray: FakeTray,
  Notification: FakeNotification,
  Menu: { buildFromTemplate: (template: unknown) => template, setApplicationMenu: keep('menu') as (menu: never) => void },
  clipboard: { writeText: told() },
  dialog: {
    showMessageBox: vi.fn<(...args: unknown[]) => Promise<{ response: number }>>(),
    showSaveDialog: told(),
    showOpenDialog: told(),
    showErrorBox: told(),
  },
  ipcMain: { handle: (channel: string, handler: Handler) => handlers.set(`ipc ${channel}`, handler) },
  nativeImage: { createFromPath: () => ({ setTemplateImage: told() }) },
  nativeTheme: Object.assign(new EventEmitter(), { themeSource: 'system', shouldUseDarkColors: true }),
  protocol: {
    registerSchemesAsPrivileged: (schemes: { scheme: string }[]) => done.push(`privileged ${schemes.map(({ scheme }) => scheme).join()}`),
    handle: (scheme: string, handler: Handler) => handlers.set(`scheme ${scheme}`, handler),
  },
  safeStorage: memorySafeStorage(),
  screen: {
    getPrimaryDisplay: () => ({ workArea: { x: 0, y: 0, width: 1920, height: 1080 } }),
    getAllDisplays: () => [{ workArea: { x: 0, y: 0, width: 1920, height: 1080 } }],
  },
  session: {
    defaultSession: {
      setPermissionRequestHandler: keep('permission request'),
      setPermissionCheckHandler: keep('permission check'),
      setDevicePermissionHandler: keep('device'),
      setDisplayMediaRequestHandler: keep('display media'),
      setBluetoothPairingHandler: keep('bluetooth'),
      setSpellCheckerEnabled: told(),
      webRequest: { onBeforeRequest: keep('request') },
      on: (event: string, handler: Handler) => handlers.set(`session ${event}`, handler),
    },
  },
  shell: { openExternal: async (address: string) => void opened.push(address) },
};
