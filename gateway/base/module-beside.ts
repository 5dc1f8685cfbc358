import { extname } from 'node:path';

/**
 * The address of another module in the same folder, for `new Worker` and the like, whose paths no compiler rewrites:
 * `moduleBeside(import.meta.url, 'sealer-worker')` is `sealer-worker.ts` in a checkout and `sealer-worker.js` when built.
 */
export function moduleBeside(importMetaUrl: string, name: string): URL {
  return new URL(`./${name}${extname(new URL(importMetaUrl).pathname)}`, importMetaUrl);
}
