import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { useLocation } from 'wouter';
import type { BundleFile } from '../host/host.ts';
import { useHost } from '../host/host-context.tsx';
import { routes } from '../routes.ts';
import type { BundleState, OpenedBundle } from './opened-bundle.ts';
import { openBundle } from './start-worker.ts';

interface Bundles {
  readonly bundle: OpenedBundle | undefined;
  readonly open: (file: BundleFile) => void;
  readonly close: () => void;
}

const BundleContext = createContext<Bundles | undefined>(undefined);

/** The bundle that is open, if one is. It stays so wherever one goes in the app, and whether or not anybody is logged in. */
export function BundleProvider({ children }: { children: ReactNode }) {
  const host = useHost();
  const [, go] = useLocation();
  const [bundle, setBundle] = useState<OpenedBundle>();
  const current = useRef<OpenedBundle>(undefined);
  const become = useCallback((next: OpenedBundle | undefined) => {
    current.current?.close();
    current.current = next;
    setBundle(next);
  }, []);
  const open = useCallback(
    (file: BundleFile) => {
      become(openBundle(file));
      go(routes.bundle);
    },
    [become, go],
  );
  useEffect(
    () =>
      host.onOpened((opened) => {
        if ('bundle' in opened) open(opened.bundle);
        else go(opened.route);
      }),
    [host, open, go],
  );
  const value = useMemo(() => ({ bundle, open, close: () => become(undefined) }), [bundle, open, become]);
  return <BundleContext value={value}>{children}</BundleContext>;
}

export function useBundles(): Bundles {
  const bundles = useContext(BundleContext);
  if (bundles === undefined) throw new TypeError('no bundles are provided');
  return bundles;
}

export function useBundleState(bundle: OpenedBundle): BundleState {
  return useSyncExternalStore(bundle.onChange, () => bundle.state);
}
