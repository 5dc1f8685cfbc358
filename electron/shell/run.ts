import { join } from 'node:path';
import { app, clipboard, dialog, nativeTheme, safeStorage, shell } from 'electron';
import { EVENT_CHANNEL } from '../../contract/desktop-channels.ts';
import { DesktopError, messageOf } from '../base/desktop-error.ts';
import { type Desk, openDesk } from '../bridge/desk.ts';
import { demoCommand, type RunningDemo, startDemo } from '../demo/start-demo.ts';
import type { MenuDeed } from '../look/menu-model.ts';
import { openWindowState } from '../look/window-state.ts';
import { launchOf } from '../page/launch.ts';
import { mayInspect, mayOpenOutside } from '../page/window-policy.ts';
import { answerThePage } from './answer-the-page.ts';
import { serveAppScheme } from './app-scheme.ts';
import { confirmWith, fileDialogs } from './dialogs.ts';
import { checkout, pageFolder } from './files-of-app.ts';
import { followApprovals } from './follow-approvals.ts';
import { guardSession } from './guards.ts';
import { onLaunches } from './launches.ts';
import { log } from './log.ts';
import { MainWindow } from './main-window.ts';
import { platformOf, setMenus } from './menus.ts';
import { NativeNotices } from './native-notices.ts';
import { registerWithSystem } from './register-with-system.ts';
import { followUpdates } from './updates.ts';

/** The life of the app, from its start to its end. */
export async function run(): Promise<void> {
  // What the system hands over may come before there is anything to hand it to.
  const launches = onLaunches();
  let quitting = false;
  app.on('before-quit', () => {
    quitting = true;
  });
  await app.whenReady();
  guardSession();
  serveAppScheme(pageFolder);
  registerWithSystem();

  const folder = app.getPath('userData');
  const troubles: string[] = [];
  const tell = (what: string): void => {
    log(what);
    troubles.push(what);
  };
  const window = new MainWindow({
    state: await openWindowState(join(folder, 'window.json'), tell),
    pageGone: () => void desk.pageGone().catch((thrown: unknown) => log('what the page had open could not be closed', thrown)),
    hides: () => !quitting && desk.settings.value.keepInTray,
  });
  const open = (route: string): void => {
    window.show();
    desk.openRoute(route);
  };
  const notices = new NativeNotices(open);
  const demo = demoStarter(folder);
  const desk: Desk = await openDesk({
    folder,
    app: { name: app.getName(), version: app.getVersion(), platform: platformOf(process.platform), packaged: app.isPackaged },
    safeStorage,
    dialogs: fileDialogs(() => window.window),
    confirm: (question) => confirmWith(window.window, question),
    openInBrowser,
    notify: (notice) => notices.show({ ...notice, urgent: false }),
    copy: (text) => clipboard.writeText(text),
    isDark: () => nativeTheme.shouldUseDarkColors,
    startDemo: demo.start,
    emit: (event) => window.send(EVENT_CHANNEL, event),
    settingsChanged: ({ theme }) => {
      nativeTheme.themeSource = theme;
    },
    now: Date.now,
    tell,
    log,
  });
  nativeTheme.themeSource = desk.settings.value.theme;
  nativeTheme.on('updated', () => desk.tellPage({ event: 'theme', dark: nativeTheme.shouldUseDarkColors }));

  answerThePage(desk.dispatch, () => window.window);
  setMenus(platformOf(process.platform), mayInspect(app), (deed) => void does(deed, { window, desk, open }).catch(showTrouble));
  const approvals = followApprovals({ desk, notices, window, open });

  app.on('activate', () => window.show());
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });
  app.on('will-quit', () => {
    approvals.stop();
    demo.stop();
    void desk.close();
  });

  window.show();
  const opens = (launch: ReturnType<typeof launchOf>): void => {
    window.show();
    if (launch === undefined) return;
    if ('route' in launch) desk.openRoute(launch.route);
    else desk.openFile(launch.file).catch(showTrouble);
  };
  launches.to(opens);
  const first = launchOf(process.argv, process.cwd());
  if (first !== undefined) opens(first);
  if (troubles.length > 0) showTrouble(new DesktopError('FILE_FAILED', troubles.join('\n\n')));
  await followUpdates((version) =>
    notices.show({
      title: `Sallyport ${version} is ready`,
      body: 'It is put in place when you quit.',
      route: '/settings',
      tag: 'update',
      urgent: false,
    }),
  );
}

async function openInBrowser(address: string): Promise<void> {
  if (!mayOpenOutside(address))
    throw new DesktopError('PROVIDER_FAILED', 'the identity provider wants the log-in at an address that is not opened');
  await shell.openExternal(address);
}

function showTrouble(thrown: unknown): void {
  log('something failed', thrown);
  const remedy = thrown instanceof DesktopError && thrown.remedy !== undefined ? `\n\n${thrown.remedy}` : '';
  dialog.showErrorBox('Sallyport', `${messageOf(thrown)}${remedy}`);
}

async function does(
  deed: MenuDeed,
  { window, desk, open }: { readonly window: MainWindow; readonly desk: Desk; readonly open: (route: string) => void },
): Promise<void> {
  if ('route' in deed) return open(deed.route);
  if ('command' in deed) {
    window.show();
    return desk.tellPage({ event: 'command', command: deed.command });
  }
  if (deed.deed === 'about') return app.showAboutPanel();
  window.show();
  const path = await fileDialogs(() => window.window).openBundle();
  if (path !== undefined) await desk.openFile(path);
}

/** The demo of a checkout; an installed app has no gateway in it. */
function demoStarter(folder: string) {
  const command = app.isPackaged ? undefined : demoCommand(checkout);
  let running: Promise<RunningDemo> | undefined;
  return {
    start:
      command === undefined
        ? undefined
        : () => {
            running ??= startDemo(command, join(folder, 'demo'));
            running.catch(() => {
              running = undefined;
            });
            return running;
          },
    stop: () =>
      void running?.then(
        (demo) => demo.stop(),
        () => undefined,
      ),
  };
}
