import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The Electron that is installed here, or undefined: as the package `electron` looks for it itself, but without fetching
 * one where there is none.
 */
export function electronBinary(root: string, environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const folder = join(root, 'node_modules', 'electron');
  const named = join(folder, 'path.txt');
  const name = existsSync(named) ? readFileSync(named, 'utf8').trim() : undefined;
  const override = environment.ELECTRON_OVERRIDE_DIST_PATH;
  const binary =
    override === undefined || override === ''
      ? name === undefined
        ? undefined
        : join(folder, 'dist', name)
      : join(override, name ?? 'electron');
  return binary !== undefined && existsSync(binary) ? binary : undefined;
}

/** Whether anything with a window can be shown: on Linux somebody has to draw it. */
export function hasDisplay(environment: NodeJS.ProcessEnv = process.env, platform: NodeJS.Platform = process.platform): boolean {
  return platform !== 'linux' || Boolean(environment.DISPLAY) || Boolean(environment.WAYLAND_DISPLAY);
}
