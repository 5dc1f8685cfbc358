import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** dist/electron, in a checkout as in the archive of an installed app. */
const here = dirname(fileURLToPath(import.meta.url));

export const preloadFile = join(here, 'preload.cjs');
export const pageFolder = join(here, '..', 'renderer');
export const iconFolder = join(here, 'icons');
/** Of a checkout; an installed app has nothing there. */
export const checkout = join(here, '..', '..');
