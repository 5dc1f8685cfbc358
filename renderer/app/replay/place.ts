import { routes } from '../routes.ts';

export const panelNames = ['transcript', 'decision', 'cause', 'evidence', 'review'] as const;
export type PanelName = (typeof panelNames)[number];

/** What of a session an address shows. */
export interface Place {
  readonly channel: number | undefined;
  /** Microseconds since the channel opened. */
  readonly at: number | undefined;
  readonly panel: PanelName;
}

const LARGEST_CHANNEL = 0xffff_ffff;

/** What the query of an address says. People write addresses too: what makes no sense counts as not said. */
export function placeOf(query: URLSearchParams): Place {
  const panel = query.get('panel');
  return {
    channel: numberIn(query.get('channel'), /^\d{1,10}$/, LARGEST_CHANNEL),
    at: microsIn(query.get('at')),
    panel: panelNames.find((name) => name === panel) ?? 'transcript',
  };
}

/** The address of a place. The moment is exact: the screen there depends on every event up to it. */
export function addressOf(session: string, { channel, at, panel }: Place): string {
  return routes.session(session, {
    ...(channel === undefined ? {} : { channel }),
    ...(at === undefined ? {} : { at: Number((at / 1e6).toFixed(6)) }),
    ...(panel === 'transcript' ? {} : { panel }),
  });
}

function microsIn(text: string | null): number | undefined {
  const seconds = numberIn(text, /^\d{1,9}(\.\d{1,9})?$/, 1e9);
  return seconds === undefined ? undefined : Math.round(seconds * 1e6);
}

function numberIn(text: string | null, form: RegExp, largest: number): number | undefined {
  if (text === null || !form.test(text)) return undefined;
  const value = Number(text);
  return value <= largest ? value : undefined;
}
