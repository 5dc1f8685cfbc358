/** Where in the page the reader is; the part of the address after `#`. */
export type Route =
  | { screen: 'overview' }
  | { screen: 'sessions' }
  | { screen: 'replay'; session: string; channel: number | undefined; at: number | undefined }
  | { screen: 'session-records'; session: string; index: number | undefined }
  | { screen: 'records'; index: number | undefined }
  | { screen: 'report' };

const SESSION = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Undefined for an address that leads nowhere. */
export function parseRoute(hash: string): Route | undefined {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const parameters = new URLSearchParams(query);
  const [first = '', second, third, ...rest] = path.split('/');
  if (rest.length > 0) return undefined;
  if (first === '' && second === undefined) return { screen: 'overview' };
  if (first === 'report' && second === undefined) return { screen: 'report' };
  if (first === 'records' && second === undefined) return { screen: 'records', index: natural(parameters.get('index')) };
  if (first !== 'sessions') return undefined;
  if (second === undefined) return { screen: 'sessions' };
  if (!SESSION.test(second)) return undefined;
  if (third === 'records') return { screen: 'session-records', session: second, index: natural(parameters.get('index')) };
  const channel = natural(third ?? null);
  if (third !== undefined && channel === undefined) return undefined;
  const at = parameters.get('at');
  return { screen: 'replay', session: second, channel, at: at !== null && /^\d{1,9}(?:\.\d{1,6})?$/.test(at) ? Number(at) : undefined };
}

/** The address of a place. `at` in seconds. */
export const address = {
  overview: '#/',
  sessions: '#/sessions',
  report: '#/report',
  records: (index?: number) => `#/records${index === undefined ? '' : `?index=${index}`}`,
  replay: (session: string, channel?: number, at?: number) =>
    `#/sessions/${session}${channel === undefined ? '' : `/${channel}`}${at === undefined ? '' : `?at=${Math.floor(at * 10) / 10}`}`,
  sessionRecords: (session: string, index?: number) => `#/sessions/${session}/records${index === undefined ? '' : `?index=${index}`}`,
} as const;

function natural(text: string | null): number | undefined {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
