import { Menu } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { Link, useLocation } from 'wouter';
import { useConnection } from '../client/event-context.tsx';
import { useHasAnyRole, useOperator } from '../client/operator-context.tsx';
import { useAsk } from '../client/queries.ts';
import { Key } from '../design/labels.tsx';
import { Spring } from '../design/pane.tsx';
import { useHost } from '../host/host-context.tsx';
import { keyCaps } from '../keyboard/key-text.ts';
import { routes } from '../routes.ts';
import { BrandMark } from './brand-mark.tsx';
import classes from './frame.module.css';
import { PaletteOpener } from './palette/palette.tsx';

export function TopBar() {
  const { door } = useHost();
  const client = useQueryClient();
  const [, go] = useLocation();
  const operator = useOperator();
  const connection = useConnection();
  const { data: status } = useAsk('gateway.status', {}, { enabled: useHasAnyRole() });
  const stands = connection === 'lost' ? 'deny' : status?.ready === false ? 'ask' : 'ok';
  return (
    <header className={classes.top}>
      <Link href={routes.sessions} className={classes.brand ?? ''} aria-label="Sallyport, sessions">
        <BrandMark />
        Sallyport
      </Link>
      <PaletteOpener className={classes.find ?? ''}>
        <span>Search sessions, commands, screen text…</span>
        <span aria-hidden>
          {keyCaps('mod+k').map((cap) => (
            <Key key={cap}>{cap}</Key>
          ))}
        </span>
      </PaletteOpener>
      <Spring />
      <Link href={routes.settings} className={classes.pill ?? ''} style={{ textDecoration: 'none' }}>
        <span className={classes.dot} data-tone={stands} />
        {status?.name ?? 'gateway'}
        {connection === 'lost' ? ' · not connected' : status?.ready === false ? ' · takes no sessions' : ''}
      </Link>
      <Menu position="bottom-end">
        <Menu.Target>
          <button type="button" className={classes.pill}>
            {operator.operator}
          </button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{operator.roles.length === 0 ? 'no role' : operator.roles.join(', ')}</Menu.Label>
          <Menu.Item onClick={() => go(routes.settings)}>Settings</Menu.Item>
          <Menu.Item
            onClick={() => {
              void door.logOut().finally(() => void client.invalidateQueries({ queryKey: ['whoami'] }));
            }}
          >
            Log out
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </header>
  );
}
