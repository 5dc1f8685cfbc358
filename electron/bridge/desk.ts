import { join } from 'node:path';
import type { BridgeEvent, DesktopSettings, QuestionInput, QuestionOutput } from '../../contract/desktop-bridge.ts';
import { OpenedFiles } from '../files/opened-files.ts';
import type { KeptDocument } from '../keep/kept-document.ts';
import { KnownGateways } from '../keep/known-gateways.ts';
import { LogIns } from '../keep/log-ins.ts';
import { type SafeStorage, Secrets } from '../keep/secrets.ts';
import { changed, openSettings, weakenedBy } from '../keep/settings.ts';
import { SigningKey } from '../keep/signing-key.ts';
import { BridgedSockets } from './bridged-sockets.ts';
import { type Dispatch, dispatcher } from './dispatch.ts';
import { type FileDialogs, fileAnswers } from './file-answers.ts';
import { type DemoGateway, gatewayAnswers } from './gateway-answers.ts';
import { GatewayInUse } from './gateway-in-use.ts';
import { logInAnswers } from './log-in-answers.ts';
import { type Confirmation, signStatement } from './sign-statement.ts';
import { WaitingForPage } from './waiting-for-page.ts';

/** What the desk needs of the system; in the app it is Electron that does it. */
export interface DeskParts {
  /** Where its files are. */
  readonly folder: string;
  readonly app: Pick<QuestionOutput<'app.info'>, 'name' | 'version' | 'platform' | 'packaged'>;
  readonly safeStorage: SafeStorage;
  readonly dialogs: FileDialogs;
  /** The system's own dialog, which no page can answer. */
  readonly confirm: (question: Confirmation) => Promise<boolean>;
  readonly openInBrowser: (address: string) => Promise<void>;
  readonly notify: (notice: QuestionInput<'notify'>) => void;
  readonly copy: (text: string) => Promise<void>;
  readonly isDark: () => boolean;
  readonly startDemo: (() => Promise<DemoGateway>) | undefined;
  /** To the page, if there is one. */
  readonly emit: (event: BridgeEvent) => void;
  readonly settingsChanged: (settings: DesktopSettings) => void;
  readonly now: () => number;
  /** For the person: something that was kept could not be used. */
  readonly tell: (what: string) => void;
  readonly log: (what: string, thrown?: unknown) => void;
}

/** Everything of the app that is not a window: what it keeps, whom it talks to, and what the page may ask of it. */
export interface Desk {
  readonly dispatch: Dispatch;
  readonly inUse: GatewayInUse;
  readonly settings: KeptDocument<DesktopSettings>;
  /** Opens a file that the system has handed over. Throws FILE_FAILED. */
  openFile(path: string): Promise<void>;
  /** Shows a place of the app. */
  openRoute(route: string): void;
  /** What happened to the window or was chosen in a menu. */
  tellPage(event: Extract<BridgeEvent, { event: 'command' | 'theme' }>): void;
  /** The page is gone or loads anew: what it had open is closed. */
  pageGone(): Promise<void>;
  /** What follows the gateway in use is told when that, or the log-in there, is another one. */
  onGateway(listener: () => void): void;
  close(): Promise<void>;
}

export async function openDesk(parts: DeskParts): Promise<Desk> {
  const { folder, tell, confirm } = parts;
  const toPage = new WaitingForPage(parts.emit);
  const emit = (event: BridgeEvent): void => toPage.emit(event);
  const settings = await openSettings(join(folder, 'settings.json'), tell);
  const secrets = new Secrets(parts.safeStorage, () => settings.value.allowUnprotectedKeys);
  const key = new SigningKey(join(folder, 'signing-key'), secrets);
  const known = await KnownGateways.open(join(folder, 'gateways.json'), tell);
  const kept = await LogIns.open(join(folder, 'log-ins'), secrets, parts.now, tell);
  const listeners = new Set<() => void>();
  let before = known.current()?.id;
  const inUse = new GatewayInUse(known, kept, {
    changed: () => {
      const current = known.current()?.id;
      if (current !== before) sockets.closeAll('another gateway is in use');
      before = current;
      emit({ event: 'gateways' });
      for (const listener of listeners) listener();
    },
    loggedOut: (reason) => emit({ event: 'logged-out', reason }),
  });
  const sockets = new BridgedSockets(inUse, emit);
  const files = new OpenedFiles();
  const logIns = logInAnswers({ inUse, key, openInBrowser: parts.openInBrowser });

  const dispatch = dispatcher(
    {
      'app.info': async () => {
        const protection = await secrets.protection();
        // It is the first thing that the page asks, when it is there to listen.
        toPage.ready();
        return { ...parts.app, demo: parts.startDemo !== undefined, dark: parts.isDark(), secrets: protection };
      },
      ...gatewayAnswers({ inUse, key, confirm, startDemo: parts.startDemo, logIn: (code) => logIns['login.code']({ code }) }),
      ...logIns,
      ...fileAnswers({ inUse, dialogs: parts.dialogs, files, emit }),
      'socket.open': async ({ socket, path }) => {
        sockets.open(socket, path);
        return {};
      },
      'socket.taken': async ({ socket, bytes }) => {
        sockets.taken(socket, bytes);
        return {};
      },
      'socket.close': async ({ socket }) => {
        sockets.close(socket);
        return {};
      },
      'signer.key': async () => ({ key: (await key.info()) ?? null }),
      'signer.create': async () => ({ key: await key.create() }),
      'signer.sign': ({ statement }) => signStatement(statement, { inUse, key, confirm, asks: () => settings.value.confirmSignatures }),
      'signer.forget': async () => {
        const forgotten = await confirm({
          title: 'Forget the signing key of this device?',
          detail: 'It cannot be brought back. What it has signed stays good; take it back at the gateway as well, in Settings.',
          yes: 'Forget it',
        });
        if (forgotten) await key.forget();
        return { forgotten };
      },
      notify: async (notice) => {
        if (settings.value.notifications) parts.notify(notice);
        return {};
      },
      copy: async ({ text }) => {
        await parts.copy(text);
        return {};
      },
      'settings.get': async () => settings.value,
      'settings.set': async (change) => {
        for (const question of weakenedBy(settings.value, change)) if (!(await confirm(question))) return settings.value;
        await settings.set(changed(settings.value, change));
        parts.settingsChanged(settings.value);
        return settings.value;
      },
    },
    parts.log,
  );

  return {
    dispatch,
    inUse,
    settings,
    openFile: async (path) => emit({ event: 'open.file', file: await files.open(path) }),
    openRoute: (route) => emit({ event: 'open.route', route }),
    tellPage: emit,
    pageGone: async () => {
      toPage.gone();
      sockets.closeAll();
      await files.closeAll();
    },
    onGateway: (listener) => void listeners.add(listener),
    close: async () => {
      sockets.closeAll();
      inUse.close();
      await files.closeAll();
    },
  };
}
