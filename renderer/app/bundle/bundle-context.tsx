import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { useLocation } from 'wouter';
import type { BundleFile } from '../host/host.ts';
import { useHost } from '../host/host-context.tsx';
import { routes } from '../routes.ts';
import type { BundleState, OpenedBundle } from './opened-bundle.ts';
import { bundleFile, openBundle } from './start-worker.ts';

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
  useEffect(() => {
    // Anywhere in the window: a browser would leave the app for a file that is dropped on it.
    const take = (event: DragEvent) => {
      if (event.dataTransfer?.types.includes('Files') !== true) return;
      event.preventDefault();
      const [file] = event.dataTransfer.files;
      if (event.type === 'drop' && file !== undefined && /\.zip$/i.test(file.name)) open(bundleFile(file));
    };
    window.addEventListener('dragover', take);
    window.addEventListener('drop', take);
    return () => {
      window.removeEventListener('dragover', take);
      window.removeEventListener('drop', take);
    };
  }, [open]);
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
