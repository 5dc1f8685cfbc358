import type { BundleFile } from '../host/host.ts';
import workerUrl from './bundle-worker.ts?worker&url';
import { type BundleWorker, OpenedBundle } from './opened-bundle.ts';

interface TrustedTypesHost {
  trustedTypes?: { createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string } };
}

let trusted: string | undefined;

/** Where the browser has Trusted Types, this is the only worker that this app can start. */
function trustedUrl(): string {
  const { trustedTypes } = window as TrustedTypesHost;
  if (trustedTypes === undefined) return workerUrl;
  trusted ??= trustedTypes.createPolicy('sallyport-bundle-worker', { createScriptURL: () => workerUrl }).createScriptURL(workerUrl);
  return trusted;
}

export function openBundle(file: BundleFile): OpenedBundle {
  const worker: BundleWorker = new Worker(trustedUrl(), { name: 'bundle' });
  return new OpenedBundle(file, worker);
}

/** A file that was dropped or chosen. It is read in pieces, wherever they are wanted. */
export function bundleFile(file: File): BundleFile {
  return {
    name: file.name,
    size: file.size,
    blob: file,
    read: async (at, length) => new Uint8Array(await file.slice(at, at + length).arrayBuffer()),
  };
}
