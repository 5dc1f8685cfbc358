/** The places of the app. Addresses of them are shared by people and by deep links, so they stay what they are. */
export const routes = {
  live: '/live',
  liveSession: (session: string) => `/live/${session}`,
  approvals: '/approvals',
  approval: (approval: string) => `/approvals/${approval}`,
  sessions: '/sessions',
  /** `at`: seconds since the channel opened. */
  session: (session: string, place: { channel?: number; at?: number; panel?: string } = {}) => {
    const query = new URLSearchParams(Object.entries(place).map(([key, value]) => [key, String(value)]));
    return `/session/${session}${query.size === 0 ? '' : `?${query}`}`;
  },
  search: '/search',
  evidence: '/evidence',
  bundle: '/bundle',
  settings: '/settings',
} as const;
