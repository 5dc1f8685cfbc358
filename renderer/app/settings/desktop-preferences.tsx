import { Switch } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { DesktopSettings } from '../../../contract/desktop-bridge.ts';
import type { Preferences } from '../host/host.ts';

const switches: readonly { name: keyof DesktopSettings; label: string; says: string }[] = [
  {
    name: 'notifications',
    label: 'Notifications',
    says: 'When an approval waits that you may give, and this window does not show it. They do not say what exactly is asked for.',
  },
  { name: 'keepInTray', label: 'Stay in the tray', says: 'Closing the window hides it, and the tray goes on saying what waits.' },
  {
    name: 'confirmSignatures',
    label: 'Ask before an approval or a sign-off is signed',
    says: 'In a dialog of the system, which nothing that this window shows can answer for you.',
  },
  {
    name: 'allowUnprotectedKeys',
    label: 'Keep keys where there is no key store',
    says: 'Only for a system without one: whoever can read your files could then approve in your name.',
  },
];

const protections = {
  protected: 'Keys and log-ins are sealed by the key store of this system.',
  unprotected: 'This system has no key store: keys and log-ins lie in your files as good as open.',
  unavailable: 'This system has no key store that can be used: no key is made here, and log-ins end with the app.',
} as const;

/** What the desktop app alone has to be set. Each takes effect at once. */
export function DesktopPreferences({ preferences }: { preferences: Preferences }) {
  const client = useQueryClient();
  const { data } = useQuery({ queryKey: ['desktop', 'settings'], queryFn: () => preferences.read() });
  const { data: protection } = useQuery({ queryKey: ['desktop', 'protection', data], queryFn: () => preferences.protection() });
  if (data === undefined) return null;
  return (
    <>
      {switches.map(({ name, label, says }) => (
        <Switch
          key={name}
          label={label}
          description={says}
          checked={data[name] === true}
          onChange={({ currentTarget: { checked } }) =>
            void preferences.change({ [name]: checked }).then((settings) => client.setQueryData(['desktop', 'settings'], settings))
          }
        />
      ))}
      {protection !== undefined && <p className="muted">{protections[protection]}</p>}
    </>
  );
}
