import { DesktopError } from '../base/desktop-error.ts';

const CODE = /^[\w-]{8,128}$/;

/** The code in what a person pastes: itself, or a link `https://HOST:PORT/#code=CODE` of this gateway. Throws LOGIN_REFUSED. */
export function logInCode(text: string, origin: string): string {
  const pasted = text.trim();
  if (!pasted.includes('://')) {
    if (CODE.test(pasted)) return pasted;
    throw notOne('this is no code for logging in');
  }
  const url = URL.parse(pasted);
  const code = new URLSearchParams(url?.hash.slice(1)).get('code');
  if (url === null || code === null || !CODE.test(code)) throw notOne('this is no link for logging in');
  // Otherwise this gateway would be told a code that is good at another one.
  if (url.origin !== origin) throw notOne(`this link is for ${url.origin}, and the gateway in use is ${origin}`);
  return code;
}

function notOne(what: string): DesktopError {
  return new DesktopError('LOGIN_REFUSED', what, { remedy: 'have "sallyport console" make a new link on the machine of the gateway' });
}
