import { z } from 'zod';
import { type DesktopSettings, questions } from '../../contract/desktop-bridge.ts';
import { KeptDocument } from './kept-document.ts';

type SettingsChange = z.infer<(typeof questions)['settings.set']['input']>;

export const defaultSettings: DesktopSettings = {
  notifications: true,
  theme: 'system',
  confirmSignatures: true,
  allowUnprotectedKeys: false,
  keepInTray: true,
};

export function openSettings(path: string, tell: (what: string) => void): Promise<KeptDocument<DesktopSettings>> {
  return KeptDocument.open(path, questions['settings.get'].output, defaultSettings, tell);
}

/** What a change of settings would weaken, as questions for the person: a page alone may not do that. */
export function weakenedBy(now: DesktopSettings, change: SettingsChange): { title: string; detail: string; yes: string }[] {
  const asked = [];
  if (change.confirmSignatures === false && now.confirmSignatures)
    asked.push({
      title: 'Sign approvals without this dialog?',
      detail:
        'What the window shows is signed with your key as soon as you approve it there. Nothing outside of the window asks you again.',
      yes: 'Sign without asking',
    });
  if (change.allowUnprotectedKeys === true && !now.allowUnprotectedKeys)
    asked.push({
      title: 'Keep keys and log-ins without protection?',
      detail:
        'This system has no key store that the app can use. Whoever can read your files could approve in your name. Better: unlock or install one (GNOME Keyring, KWallet).',
      yes: 'Keep them without protection',
    });
  return asked;
}

/** Members that are undefined were not asked for. */
export function changed(now: DesktopSettings, change: SettingsChange): DesktopSettings {
  const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
  return z.parse(questions['settings.get'].output, { ...now, ...given });
}
