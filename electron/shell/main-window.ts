import { join } from 'node:path';
import { app, BrowserWindow, nativeTheme, screen } from 'electron';
import type { KeptDocument } from '../keep/kept-document.ts';
import { placeWindow, SMALLEST, type WindowState } from '../look/window-state.ts';
import { APP_ORIGIN, routeOf } from '../page/app-origin.ts';
import { mayInspect, webPreferences } from '../page/window-policy.ts';
import type { Shown } from '../watch/notices.ts';
import { iconFolder, preloadFile } from './files-of-app.ts';
import { log } from './log.ts';

const KEEP_AFTER_MILLIS = 500;
/** A page that ends so often has a fault that loading it anew does not mend. */
const MOST_ENDS = 3;

export interface MainWindowParts {
  readonly state: KeptDocument<WindowState>;
  /** The page is gone or loads anew. */
  readonly pageGone: () => void;
  /** Whether closing the window only hides it. */
  readonly hides: () => boolean;
}

/** The one window of the app, made when it is wanted. */
export class MainWindow {
  readonly #parts: MainWindowParts;
  #window: BrowserWindow | undefined;
  #keep: NodeJS.Timeout | undefined;
  #ends = 0;

  constructor(parts: MainWindowParts) {
    this.#parts = parts;
  }

  get window(): BrowserWindow | undefined {
    return this.#window;
  }

  get shown(): Shown {
    const window = this.#window;
    if (window === undefined) return { focused: false, route: '' };
    return { focused: window.isFocused() && window.isVisible(), route: routeOf(window.webContents.getURL()) };
  }

  /** In front of others, made if there is none. */
  show(): void {
    this.#window ??= this.#make();
    if (this.#window.isMinimized()) this.#window.restore();
    this.#window.show();
    this.#window.focus();
  }

  send(channel: string, message: unknown): void {
    const window = this.#window;
    if (window !== undefined && !window.isDestroyed()) window.webContents.send(channel, message);
  }

  #make(): BrowserWindow {
    const { state } = this.#parts;
    const screens = [screen.getPrimaryDisplay(), ...screen.getAllDisplays()].map(({ workArea }) => workArea);
    const window = new BrowserWindow({
      ...placeWindow(state.value, screens),
      minWidth: SMALLEST.width,
      minHeight: SMALLEST.height,
      show: false,
      title: 'Sallyport',
      backgroundColor: nativeTheme.shouldUseDarkColors ? '#0d1015' : '#f7f8fa',
      ...(process.platform === 'linux' ? { icon: join(iconFolder, '256x256.png') } : {}),
      webPreferences: { ...webPreferences, preload: preloadFile, devTools: mayInspect(app) },
    });
    if (state.value.maximized) window.maximize();
    if (state.value.fullScreen) window.setFullScreen(true);
    window.once('ready-to-show', () => window.show());
    for (const happening of ['resize', 'move', 'maximize', 'unmaximize', 'enter-full-screen', 'leave-full-screen'] as const)
      window.on(happening as 'resize', () => this.#keepSoon(window));
    window.on('close', (event) => {
      this.#keepNow(window);
      if (!this.#parts.hides()) return;
      event.preventDefault();
      window.hide();
    });
    window.on('closed', () => {
      this.#window = undefined;
      this.#parts.pageGone();
    });
    const { webContents } = window;
    webContents.on('did-start-navigation', ({ isMainFrame, isSameDocument }) => {
      if (isMainFrame && !isSameDocument) this.#parts.pageGone();
    });
    webContents.on('render-process-gone', (_event, { reason }) => {
      log(`the page ended: ${reason}`);
      this.#parts.pageGone();
      this.#ends += 1;
      if (this.#ends <= MOST_ENDS && !window.isDestroyed()) webContents.reload();
    });
    window.loadURL(`${APP_ORIGIN}/`).catch((thrown: unknown) => log('the page could not be loaded', thrown));
    return window;
  }

  #keepSoon(window: BrowserWindow): void {
    clearTimeout(this.#keep);
    this.#keep = setTimeout(() => this.#keepNow(window), KEEP_AFTER_MILLIS);
  }

  #keepNow(window: BrowserWindow): void {
    clearTimeout(this.#keep);
    if (window.isDestroyed()) return;
    const state = { bounds: window.getNormalBounds(), maximized: window.isMaximized(), fullScreen: window.isFullScreen() };
    this.#parts.state.set(state).catch((thrown: unknown) => log('where the window is could not be kept', thrown));
  }
}
