import type { SigningKey } from '../host/host.ts';

/**
 * How signing stands on this device. `none`: it has no key; `unregistered`: it has one, which the gateway does not count as
 * this operator's; `unavailable`: this device keeps no keys.
 */
export type SigningState = 'looking' | 'unavailable' | 'none' | 'unregistered' | 'ready';

export interface KeyLook {
  readonly key: SigningKey | undefined;
  readonly isLooking: boolean;
  readonly hasFailed: boolean;
}

/** `registered`: the lines of the keys that count as the operator's, which may have a comment behind them. */
export function signingState({ key, isLooking, hasFailed }: KeyLook, registered: readonly string[]): SigningState {
  if (isLooking) return 'looking';
  if (hasFailed) return 'unavailable';
  if (key === undefined) return 'none';
  return registered.some((line) => bareLine(line) === bareLine(key.line)) ? 'ready' : 'unregistered';
}

/** Type and key of a line of an `authorized_keys` file, without its comment. */
export function bareLine(line: string): string {
  return line.trim().split(/\s+/).slice(0, 2).join(' ');
}

/** Milliseconds in which this log-in may still register a key; 0 when it may not. */
export function registerableMillis(mayAddKey: string | null, now: number): number {
  return mayAddKey === null ? 0 : Math.max(0, Date.parse(mayAddKey) - now);
}

/** What a person would call the device in front of them, from what its browser says of itself. */
export function deviceLabel(userAgent: string, kind: 'browser' | 'desktop'): string {
  const browser = /Electron\//.test(userAgent)
    ? 'Sallyport'
    : (/(Firefox|Edg|Chrome|Safari)\//.exec(userAgent)?.[1]?.replace('Edg', 'Edge') ?? 'browser');
  const system = /Windows/.test(userAgent)
    ? 'Windows'
    : /Mac OS X/.test(userAgent)
      ? 'macOS'
      : /Linux/.test(userAgent)
        ? 'Linux'
        : undefined;
  const program = kind === 'desktop' ? 'Sallyport app' : browser;
  return system === undefined ? program : `${program} on ${system}`;
}
