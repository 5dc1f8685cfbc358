import { Link, useLocation } from 'wouter';
import { useHasAnyRole } from '../client/operator-context.tsx';
import { useAsk } from '../client/queries.ts';
import { useKeys } from '../keyboard/use-keys.tsx';
import { routes } from '../routes.ts';
import classes from './frame.module.css';

const places = [
  { route: routes.live, name: 'Live', key: 'l', also: '/live/' },
  { route: routes.approvals, name: 'Approvals', key: 'a', also: '/approvals/' },
  { route: routes.sessions, name: 'Sessions', key: 's', also: '/session/' },
  { route: routes.search, name: 'Search', key: 'f' },
  { route: routes.evidence, name: 'Evidence', key: 'e', also: '/bundle' },
  { route: routes.settings, name: 'Settings', key: ',' },
] as const;

export function Rail() {
  const [location, go] = useLocation();
  const { data: status } = useAsk('gateway.status', {}, { enabled: useHasAnyRole(), refetchMillis: 15_000 });
  useKeys(places.map(({ route, name, key }) => ({ keys: [`g ${key}`], label: `Go to ${name}`, group: 'Go', run: () => go(route) })));
  return (
    <nav className={classes.rail} aria-label="Places">
      {places.map((place) => {
        const { route, name } = place;
        const here = location === route || ('also' in place && location.startsWith(place.also));
        return (
          <Link key={route} href={route} aria-current={here ? 'page' : undefined}>
            {name}
            {name === 'Live' && status !== undefined && status.sessions > 0 && <span className={classes.count}>{status.sessions}</span>}
            {name === 'Approvals' && status !== undefined && status.approvalsWaiting > 0 && (
              <span className={classes.waiting} title={`${status.approvalsWaiting} wait`}>
                {status.approvalsWaiting}
              </span>
            )}
          </Link>
        );
      })}
    </nav>
  );
}
