/** Where a browser on this machine finds a gateway that listens at `host:port`. */
export function consoleOrigin(listens: string): string {
  const at = listens.lastIndexOf(':');
  const host = listens.slice(0, at);
  const everywhere = host === '0.0.0.0' || host === '[::]';
  return new URL(`https://${everywhere ? 'localhost' : host}:${listens.slice(at + 1)}`).origin;
}

/** The code stands behind the #: no browser sends that anywhere, and the console takes it out of the address at once. */
export function consoleAddress(origin: string, code: string): string {
  return `${origin}/#code=${code}`;
}
