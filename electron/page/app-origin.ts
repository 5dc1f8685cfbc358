/** The app's own page: a scheme of our own, so that it has an origin that nothing else on this machine has. */
export const APP_SCHEME = 'sallyport-app';
export const APP_HOST = 'console';
export const APP_ORIGIN = `${APP_SCHEME}://${APP_HOST}`;

/** Whether an address is one of our page's, whatever the place within it. */
export function isAppAddress(address: string): boolean {
  const url = URL.parse(address);
  // The origin of a scheme that the platform does not know is opaque: its parts are compared instead.
  return url !== null && url.protocol === `${APP_SCHEME}:` && url.host === APP_HOST && url.username === '' && url.password === '';
}

/** The place within the app that an address of the page stands for. */
export function routeOf(address: string): string {
  const url = URL.parse(address);
  if (url === null || !isAppAddress(address)) return '/';
  return url.hash.startsWith('#/') ? url.hash.slice(1) : `${url.pathname}${url.search}`;
}
