/** What the tray shows, before there is a tray. */
export interface TrayModel {
  readonly icon: 'idle' | 'waiting';
  readonly tooltip: string;
  /** Beside the icon, where the platform has room for it. */
  readonly title: string;
  readonly items: readonly TrayItem[];
}

export type TrayItem =
  | { readonly kind: 'route'; readonly label: string; readonly route: string }
  | { readonly kind: 'show' | 'quit'; readonly label: string }
  | { readonly kind: 'note'; readonly label: string }
  | { readonly kind: 'line' };

export interface WaitingApproval {
  readonly id: string;
  readonly principal: string;
  readonly target: string;
  readonly action: string;
}

export interface TrayFacts {
  /** Undefined when none is in use. */
  readonly gateway: string | undefined;
  readonly state: 'logged-out' | 'connecting' | 'up' | 'lost';
  /** Those that this operator may decide, the next to expire first. */
  readonly waiting: readonly WaitingApproval[];
}

/** A menu longer than this is no menu. */
const MOST_SHOWN = 8;
const LONGEST_NAME = 40;

export function trayModel({ gateway, state, waiting }: TrayFacts): TrayModel {
  const told = waiting.length === 0 ? statesInWords[state] : waitingInWords(waiting.length);
  const shown = waiting.slice(0, MOST_SHOWN);
  return {
    icon: waiting.length === 0 ? 'idle' : 'waiting',
    tooltip: gateway === undefined ? 'Sallyport' : `Sallyport – ${short(gateway)}: ${told}`,
    title: waiting.length === 0 ? '' : String(waiting.length),
    items: [
      { kind: 'show', label: 'Open Sallyport' },
      { kind: 'line' },
      { kind: 'note', label: gateway === undefined ? 'No gateway' : `${short(gateway)}: ${told}` },
      ...shown.map(
        ({ id, principal, target, action }): TrayItem => ({
          kind: 'route',
          label: `${short(principal)} → ${short(target)}: ${action}`,
          route: `/approvals/${id}`,
        }),
      ),
      ...(waiting.length > shown.length
        ? [{ kind: 'route', label: `${waiting.length - shown.length} more…`, route: '/approvals' } as const]
        : []),
      { kind: 'line' },
      { kind: 'route', label: 'Live sessions', route: '/live' },
      { kind: 'route', label: 'Sessions', route: '/sessions' },
      { kind: 'line' },
      { kind: 'quit', label: 'Quit Sallyport' },
    ],
  };
}

export function waitingInWords(count: number): string {
  return count === 1 ? '1 approval waits for you' : `${count} approvals wait for you`;
}

const statesInWords = {
  'logged-out': 'not logged in',
  connecting: 'connecting',
  lost: 'the gateway does not answer',
  up: 'nothing waits for you',
} as const satisfies Record<TrayFacts['state'], string>;

/** Names are other people's words: one line, no tricks with direction, and on some platforms `&` underlines. */
function short(text: string): string {
  const plain = text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '�').replaceAll('&', '＆');
  return plain.length <= LONGEST_NAME ? plain : `${plain.slice(0, LONGEST_NAME - 1)}…`;
}
