/**
 * Links that open the desktop app from anywhere, `sallyport://session/ID?at=SECONDS`, and the places of the app that they
 * lead to. Anybody can write one and have somebody click it, so it says a place and nothing else: nothing is done by it.
 */

export const LINK_SCHEME = 'sallyport';

const ID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const LONGEST = 512;
/** The kinds of link that name something, and the place of each. */
const named: Readonly<Record<string, string>> = { session: '/session', approval: '/approvals', live: '/live' };
const places = ['live', 'approvals', 'sessions', 'search', 'evidence', 'settings'];
const parameters: Readonly<Record<string, RegExp>> = {
  at: /^\d{1,9}(\.\d{1,9})?$/,
  channel: /^\d{1,10}$/,
  panel: /^[a-z]{1,20}$/,
};

const LINK = new RegExp(`^${LINK_SCHEME}://([a-z]{1,20})(?:/(${ID}))?/?(?:\\?([\\w.=&-]*))?$`, 'i');
const ROUTE = new RegExp(`^/([a-z]{1,20})(?:/(${ID}))?(?:\\?([\\w.=&-]*))?$`);

/** The place in the app that a link leads to. Undefined for everything that is not exactly such a link. */
export function routeOfLink(link: string): string | undefined {
  if (link.length > LONGEST) return undefined;
  const [whole, written = '', id, query] = LINK.exec(link) ?? [];
  if (whole === undefined) return undefined;
  const kind = written.toLowerCase();
  if (id === undefined) return places.includes(kind) && (query ?? '') === '' ? `/${kind}` : undefined;
  const place = Object.hasOwn(named, kind) ? named[kind] : undefined;
  const told = query === undefined || query === '' ? '' : checkedQuery(query);
  if (place === undefined || told === undefined || (told !== '' && kind !== 'session')) return undefined;
  return `${place}/${id.toLowerCase()}${told}`;
}

/** The inverse, for a place of the app; a place that no link can name is told by the screen that it is on. */
export function linkToRoute(route: string): string {
  const [whole, place = '', id, query] = ROUTE.exec(route) ?? [];
  const kind = Object.keys(named).find((each) => named[each] === `/${place}`);
  if (whole !== undefined && id !== undefined && kind !== undefined) {
    const told = kind === 'session' && query !== undefined ? checkedQuery(query) : '';
    return `${LINK_SCHEME}://${kind}/${id}${told ?? ''}`;
  }
  const screen = /^\/([a-z]+)/.exec(route)?.[1] ?? '';
  return `${LINK_SCHEME}://${places.includes(screen) ? screen : 'sessions'}`;
}

/** Undefined when something in it is not known, or comes twice. */
function checkedQuery(query: string): string | undefined {
  const seen = new Set<string>();
  for (const part of query.split('&')) {
    const [name = '', value = ''] = part.split('=');
    const form = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    if (form === undefined || seen.has(name) || part !== `${name}=${value}` || !form.test(value)) return undefined;
    seen.add(name);
  }
  return `?${query}`;
}
