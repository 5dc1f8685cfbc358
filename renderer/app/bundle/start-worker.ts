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

let spare: Worker | undefined;

/** Has a worker at hand, so that a bundle can also be opened when whoever served this page does not answer any more. */
export function prepareWorker(): void {
  if (spare !== undefined) return;
  const worker = new Worker(trustedUrl(), { name: 'bundle' });
  spare = worker;
  // One that could not be loaded is none; the next that is wanted is tried anew.
  worker.addEventListener('error', () => {
    if (spare === worker) spare = undefined;
  });
}

export function openBundle(file: BundleFile): OpenedBundle {
  const worker: BundleWorker = spare ?? new Worker(trustedUrl(), { name: 'bundle' });
  spare = undefined;
  prepareWorker();
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
