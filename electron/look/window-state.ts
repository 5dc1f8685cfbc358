import { z } from 'zod';
import { KeptDocument } from '../keep/kept-document.ts';

export interface Bounds {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const coordinate = z.number().int().min(-100_000).max(100_000);
const extent = z.number().int().min(1).max(100_000);
const keptState = z.strictObject({
  bounds: z.strictObject({ x: coordinate, y: coordinate, width: extent, height: extent }).nullable(),
  maximized: z.boolean(),
  fullScreen: z.boolean(),
});
export type WindowState = z.infer<typeof keptState>;

export const SMALLEST = { width: 960, height: 600 } as const;
const USUAL = { width: 1440, height: 900 } as const;
/** So much of a window's upper edge has to be on a screen that it can be taken hold of. */
const GRIP = { width: 120, height: 40 } as const;

export function openWindowState(path: string, tell: (what: string) => void): Promise<KeptDocument<WindowState>> {
  return KeptDocument.open(path, keptState, { bounds: null, maximized: false, fullScreen: false }, tell);
}

/**
 * Where the window opens: where it was, if there is still a screen there. `screens` are the areas without bars and docks,
 * the main one first.
 */
export function placeWindow({ bounds }: Pick<WindowState, 'bounds'>, screens: readonly Bounds[]): Bounds {
  const [main = { x: 0, y: 0, ...USUAL }] = screens;
  if (bounds === null) return centred(USUAL, main);
  const screen = screens.find((each) => isInReach(bounds, each));
  if (screen === undefined) return centred(bounds, main);
  return fitted(bounds, screen);
}

function isInReach(bounds: Bounds, screen: Bounds): boolean {
  const across = Math.min(bounds.x + bounds.width, screen.x + screen.width) - Math.max(bounds.x, screen.x);
  return across >= GRIP.width && bounds.y >= screen.y - 1 && bounds.y <= screen.y + screen.height - GRIP.height;
}

/** As large as it was, or as the screen has room for, and never too small to be used. */
function fitted(bounds: Bounds, screen: Bounds): Bounds {
  return {
    x: bounds.x,
    y: bounds.y,
    width: Math.max(SMALLEST.width, Math.min(bounds.width, screen.width)),
    height: Math.max(SMALLEST.height, Math.min(bounds.height, screen.height)),
  };
}

function centred(size: { readonly width: number; readonly height: number }, screen: Bounds): Bounds {
  const { width, height } = fitted({ x: 0, y: 0, ...size }, screen);
  const middle = (from: number, room: number, own: number): number => Math.max(from, Math.round(from + (room - own) / 2));
  return { x: middle(screen.x, screen.width, width), y: middle(screen.y, screen.height, height), width, height };
}
