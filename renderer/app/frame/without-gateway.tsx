import { Button } from '@mantine/core';
import { lazy, type ReactNode, Suspense, useEffect } from 'react';
import { Link, useLocation } from 'wouter';
import { prepareWorker } from '../bundle/start-worker.ts';
import { Spring } from '../design/pane.tsx';
import { LoadingState } from '../design/states.tsx';
import { routes } from '../routes.ts';
import { Boundary } from './boundary.tsx';
import { BrandMark } from './brand-mark.tsx';
import classes from './frame.module.css';

const loadScreen = () => import('../bundle/bundle-screen.tsx').then((module) => ({ default: module.BundleScreen }));
const BundleScreen = lazy(loadScreen);

/** After what the person has come for. */
const PREPARE_MILLIS = 1500;

/** Opening a bundle needs no gateway, so all that it takes is there before it is wanted. Where that fails, it is loaded then. */
export function useBundlesAtHand(): void {
  useEffect(() => {
    const waiting = window.setTimeout(() => {
      loadScreen().then(prepareWorker, () => undefined);
    }, PREPARE_MILLIS);
    return () => window.clearTimeout(waiting);
  }, []);
}

/** What needs no gateway and no log-in: an auditor opens a bundle. */
export function WithoutGateway({ reachable }: { reachable: boolean }) {
  return (
    <div className={classes.alone}>
      <header className={classes.top}>
        <Link href={routes.bundle} className={classes.brand ?? ''} aria-label="Sallyport">
          <BrandMark />
          Sallyport
        </Link>
        <span className="muted">A bundle is verified and replayed here without a gateway.</span>
        <Spring />
        {!reachable && <span className="faint">The gateway does not answer</span>}
        <Link href={routes.sessions} className={classes.pill ?? ''} style={{ textDecoration: 'none' }}>
          Log in
        </Link>
      </header>
      <main className={classes.main}>
        <Boundary>
          <Suspense fallback={<LoadingState />}>
            <BundleScreen />
          </Suspense>
        </Boundary>
      </main>
    </div>
  );
}

/** Beside what is shown to whoever is not logged in: the one thing that can be done all the same. */
export function WithBundleDoor({ children }: { children: ReactNode }) {
  const [, go] = useLocation();
  return (
    <div className={classes.door}>
      {children}
      <aside className={classes.beside} aria-label="Without a gateway">
        <span className="muted">Have you been given evidence?</span>
        <Button variant="subtle" onClick={() => go(routes.bundle)}>
          Open a bundle
        </Button>
      </aside>
    </div>
  );
}
