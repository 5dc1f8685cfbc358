import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import {
  type BridgeAnswer,
  type BridgeEvent,
  bridgeSchemas,
  type QuestionInput,
  type QuestionName,
  type QuestionOutput,
} from '../../contract/desktop-bridge.ts';
import type { RawBridge } from '../../contract/desktop-channels.ts';
import { type Desk, type DeskParts, openDesk } from '../../electron/bridge/desk.ts';
import type { Sender } from '../../electron/bridge/dispatch.ts';
import type { Confirmation } from '../../electron/bridge/sign-statement.ts';
import type { SafeStorage } from '../../electron/keep/secrets.ts';
import type { Belongings } from '../support/temp.ts';

/** A key store of the system, which there is none of here: AES with a key that lives as long as it does. */
export function memorySafeStorage(backend = 'gnome_libsecret'): SafeStorage & { locked: boolean } {
  const key = randomBytes(32);
  let plainAllowed = false;
  const store = {
    locked: false,
    getSelectedStorageBackend: () => backend,
    setUsePlainTextEncryption: (allowed: boolean) => {
      plainAllowed = allowed;
    },
    isAsyncEncryptionAvailable: async () => !store.locked && (backend !== 'basic_text' || plainAllowed),
    encryptStringAsync: async (text: string) => {
      const iv = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, iv);
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), sealed]);
    },
    decryptStringAsync: async (sealed: Buffer) => {
      const cipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12)).setAuthTag(sealed.subarray(12, 28));
      const result = Buffer.concat([cipher.update(sealed.subarray(28)), cipher.final()]).toString('utf8');
      return { result, shouldReEncrypt: false };
    },
  };
  return store;
}

export const ourPage: Sender = { url: 'sallyport-app://console/sessions', isMainFrame: true, isOurWindow: true };

/** A desk with a person in front of it, who says yes to everything until `says` is something else. */
export interface TestDesk {
  readonly desk: Desk;
  readonly folder: string;
  readonly events: BridgeEvent[];
  readonly asked: Confirmation[];
  readonly opened: string[];
  readonly logged: string[];
  readonly told: string[];
  readonly copied: string[];
  readonly notices: QuestionInput<'notify'>[];
  says: (question: Confirmation) => boolean;
  saveTo: string | undefined;
  openFrom: string | undefined;
  /** What the page sees: everything goes through a copy, as between processes. */
  readonly page: RawBridge;
  ask<N extends QuestionName>(name: N, input: QuestionInput<N>): Promise<QuestionOutput<N>>;
  /** The code of the refusal. */
  refusal<N extends QuestionName>(name: N, input: QuestionInput<N>): Promise<string>;
}

export async function openTestDesk(belongings: Belongings, changes: Partial<DeskParts> = {}): Promise<TestDesk> {
  const folder = changes.folder ?? belongings.directory('desk');
  const listeners = new Set<(event: unknown) => void>();
  const events: BridgeEvent[] = [];
  const [asked, opened, logged, told, copied]: [Confirmation[], string[], string[], string[], string[]] = [[], [], [], [], []];
  const notices: QuestionInput<'notify'>[] = [];
  const desk = await openDesk({
    folder,
    app: { name: 'Sallyport', version: '0.0.0', platform: 'linux', packaged: false },
    safeStorage: memorySafeStorage(),
    dialogs: { saveAs: async () => test.saveTo, openBundle: async () => test.openFrom },
    confirm: async (question) => {
      asked.push(question);
      return test.says(question);
    },
    openInBrowser: async (address) => void opened.push(address),
    notify: (notice) => void notices.push(notice),
    copy: async (text) => void copied.push(text),
    isDark: () => true,
    startDemo: undefined,
    emit: (event) => {
      const copy = structuredClone(event);
      events.push(copy);
      for (const listener of listeners) listener(copy);
    },
    settingsChanged: () => undefined,
    now: Date.now,
    tell: (what) => void told.push(what),
    log: (what, thrown) => void logged.push(`${what} ${String(thrown)}`),
    ...changes,
  });
  belongings.add(() => desk.close());
  const page: RawBridge = {
    ask: async (message) => structuredClone(await desk.dispatch(ourPage, structuredClone(message))),
    listen: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const test: TestDesk = {
    desk,
    folder,
    events,
    asked,
    opened,
    logged,
    told,
    copied,
    notices,
    says: () => true,
    saveTo: undefined,
    openFrom: undefined,
    page,
    ask: async (name, input) => {
      const answer = (await page.ask({ ask: name, input })) as BridgeAnswer;
      if (!answer.ok) throw new Error(`${name}: ${answer.error.code} ${answer.error.message}`);
      return bridgeSchemas(name).output.parse(answer.output);
    },
    refusal: async (name, input) => {
      const answer = (await page.ask({ ask: name, input })) as BridgeAnswer;
      return answer.ok ? 'none' : answer.error.code;
    },
  };
  // A page begins with that, and is there from then on.
  await test.ask('app.info', {});
  return test;
}
