import { Button, SegmentedControl, useMantineColorScheme } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useHasAnyRole, useOperator } from '../client/operator-context.tsx';
import { useAsk } from '../client/queries.ts';
import { Card } from '../design/card.tsx';
import { number, shortDateTime } from '../design/format.ts';
import { Tag, Tags, Tell, TimeText } from '../design/labels.tsx';
import { Facts, Screen } from '../design/pane.tsx';
import { ConnectGateway } from '../first-run/connect-gateway.tsx';
import { useHost } from '../host/host-context.tsx';
import { KeyPanel } from '../keys/key-panel.tsx';
import { DesktopPreferences } from './desktop-preferences.tsx';
import classes from './settings-screen.module.css';

export function SettingsScreen() {
  const host = useHost();
  return (
    <Screen label="Settings">
      <div className={classes.page}>
        <div className={classes.cards}>
          <Identity />
          <Card
            title="Signing keys"
            says="What you approve, deny or sign off is signed with a key of yours. Its private part never leaves this device."
          >
            <KeyPanel />
          </Card>
          <GatewayCard />
          {host.kind === 'desktop' && (
            <Card title="Gateways" says="Each is trusted by its certificate’s fingerprint alone.">
              <ConnectGateway onChanged={() => location.reload()} />
            </Card>
          )}
          {host.preferences === undefined ? (
            <Notifications />
          ) : (
            <Card title="This app" says="What is set here is kept on this device.">
              <DesktopPreferences preferences={host.preferences} />
            </Card>
          )}
          <Theme />
        </div>
      </div>
    </Screen>
  );
}

function Identity() {
  const operator = useOperator();
  const { door } = useHost();
  const client = useQueryClient();
  return (
    <Card title="You">
      <Facts
        facts={[
          ['Name', operator.operator],
          [
            'Roles',
            operator.roles.length === 0 ? (
              <Tell key="roles" tone="ask">
                none: you may look at nothing here
              </Tell>
            ) : (
              <Tags key="roles">
                {operator.roles.map((role) => (
                  <Tag key={role}>{role}</Tag>
                ))}
              </Tags>
            ),
          ],
          ['Groups', operator.groups.join(', ') || 'none'],
          ['Logged in until', <TimeText key="expires" time={operator.expires} />],
        ]}
      />
      <Button onClick={() => void door.logOut().finally(() => void client.invalidateQueries({ queryKey: ['whoami'] }))}>Log out</Button>
    </Card>
  );
}

function GatewayCard() {
  const { data } = useAsk('gateway.status', {}, { enabled: useHasAnyRole() });
  if (data === undefined) return null;
  return (
    <Card title="Gateway">
      <Facts
        facts={[
          ['Name', data.name],
          ['Version', data.version],
          ['Running since', shortDateTime(data.started)],
          ['Listens', data.listeners.map(({ protocol, address }) => `${protocol} ${address}`).join(' · ')],
          ['Ledger', `${data.origin}, ${number(data.ledger.size)} records`],
          [
            'Policy set',
            <code key="policy" className="mono">
              {data.policySet.slice(0, 16)}
            </code>,
          ],
          [
            'Takes sessions',
            data.ready ? (
              'yes'
            ) : (
              <Tell key="ready" tone="deny">
                {data.unready ?? 'no'}
              </Tell>
            ),
          ],
        ]}
      />
    </Card>
  );
}

function Notifications() {
  const [state, setState] = useState(() => ('Notification' in window ? Notification.permission : 'denied'));
  return (
    <Card title="Notifications" says="When somebody waits for an approval that you may give, and this window does not show it.">
      {state === 'granted' ? (
        <Tell tone="ok">on</Tell>
      ) : state === 'denied' ? (
        <p className="muted">The browser does not allow them for this page. That is changed in its settings for this address.</p>
      ) : (
        <Button onClick={() => void Notification.requestPermission().then(setState)}>Allow notifications…</Button>
      )}
    </Card>
  );
}

const schemes = [
  { value: 'auto', label: 'As the system' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
];

function Theme() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const { preferences } = useHost();
  return (
    <Card title="Look">
      <SegmentedControl
        aria-label="Theme"
        data={schemes}
        value={colorScheme}
        onChange={(value) => {
          const scheme = value as 'auto' | 'light' | 'dark';
          setColorScheme(scheme);
          // Menus and dialogs of the system go along.
          void preferences?.change({ theme: scheme === 'auto' ? 'system' : scheme });
        }}
      />
    </Card>
  );
}
