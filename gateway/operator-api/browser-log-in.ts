import { isIP } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { asSallyportError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { PAGE_POLICY, type PlainPage, plainPage } from './plain-page.ts';

/** The authorization code flow as the gateway carries it out for browsers. */
export interface BrowserLogIn<Person> {
  /** `cameTo` is the address of `/login/callback` as the browser would write it. */
  begin(cameTo: string, to: string): Promise<{ readonly address: string; readonly ticket: string }>;
  finish(
    query: URLSearchParams,
    ticket: string,
  ): Promise<{ readonly person: Person; readonly to: string } | { readonly refused: string } | { readonly notBegun: true }>;
}

export interface BrowserLogInParts<Person> {
  readonly log: Log;
  /** Undefined while the configuration names no provider. */
  readonly provider: () => BrowserLogIn<Person> | undefined;
  /** Whether a log-in from this address is looked at at all. */
  readonly admits: (source: string) => boolean;
  /** Logs them in: the whole Set-Cookie header of it. Throws LOGIN_REFUSED for somebody without a role. */
  readonly begin: (person: Person, source: string) => Promise<{ readonly cookie: string }>;
  /** Records that somebody did not get in. */
  readonly refused: (reason: string, source: string) => Promise<void>;
}

/** With this prefix a browser takes it from this host alone, over HTTPS alone (RFC 6265bis section 4.1.3). */
const COOKIE = '__Host-sallyport-login';
// Lax: it has to come along when the provider sends the browser back, which is a navigation from another site.
const attributes = 'Path=/; Secure; HttpOnly; SameSite=Lax';
const forget = `${COOKIE}=; Max-Age=0; ${attributes}`;
const hostForm = /^(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;
const again = { path: '/login', text: 'Log in again' };

/** `/login` sends a browser to the identity provider, and `/login/callback` is where it comes back to. */
export function serveBrowserLogIn<Person>(app: FastifyInstance, parts: BrowserLogInParts<Person>): void {
  const { log, provider, admits, begin, refused } = parts;

  // Not for HEAD: both change something.
  app.get('/login', { exposeHeadRoute: false }, async (request, reply) => {
    const flow = provider();
    if (flow === undefined) return show(reply, 404, noProvider);
    if (!admits(sourceOf(request))) return show(reply, 429, tooOften);
    const host = request.headers.host ?? '';
    if (host.length > 255 || !hostForm.test(host)) return show(reply, 400, unclear);
    try {
      const { address, ticket } = await flow.begin(`https://${host}/login/callback`, localPath(queryOf(request).get('to')));
      reply.header('set-cookie', `${COOKIE}=${ticket}; Max-Age=600; ${attributes}`);
      return await reply.redirect(address, 303);
    } catch (thrown) {
      return failed(reply, thrown);
    }
  });

  app.get('/login/callback', { exposeHeadRoute: false }, async (request, reply) => {
    const flow = provider();
    if (flow === undefined) return show(reply, 404, noProvider);
    const source = sourceOf(request);
    if (!admits(source)) return show(reply, 429, tooOften);
    // Whatever comes of it, this log-in is over.
    reply.header('set-cookie', forget);
    try {
      const outcome = await flow.finish(queryOf(request), cookieOf(request) ?? '');
      // Any page can have its visitors' browsers ask for this, as a picture: that says nothing against where they are.
      if ('notBegun' in outcome) return await show(reply, 403, notBegun);
      if ('refused' in outcome) {
        await refused(outcome.refused, source);
        return await show(reply, 403, notIn);
      }
      const { cookie } = await begin(outcome.person, source);
      reply.header('set-cookie', cookie);
      // Not a redirect: a browser that comes from the provider would follow it without the new SameSite=Strict cookie.
      return await show(reply, 200, { title: 'You are logged in', text: '', link: { path: outcome.to, text: 'Go on' }, goesOn: true });
    } catch (thrown) {
      return failed(reply, thrown);
    }
  });

  function failed(reply: FastifyReply, thrown: unknown): FastifyReply {
    const { code, message } = asSallyportError(thrown);
    if (code === 'LOGIN_REFUSED') return show(reply, 403, notIn);
    if (code !== 'PROVIDER_FAILED') throw thrown;
    // The whole message may say where the gateway keeps its secrets, and whoever reads the page is nobody yet.
    log.warn({ code }, `a log-in in a browser failed: ${message}`);
    return show(reply, 502, providerFailed);
  }
}

const noProvider: PlainPage = {
  title: 'No identity provider',
  text: 'This gateway is not configured with an identity provider. Log in with your SSH key: sallyport login, and then sallyport console.',
  link: { path: '/', text: 'Go back' },
};
const tooOften: PlainPage = { title: 'Too many attempts', text: 'Too many log-ins from here failed. Wait a minute.', link: again };
const unclear: PlainPage = { title: 'Unclear address', text: 'The browser does not say which address it came to.', link: again };
const notIn: PlainPage = {
  title: 'You were not let in',
  text: 'The gateway did not accept this log-in (LOGIN_REFUSED). Its record auth.refused has the reason; an administrator can look it up.',
  link: again,
};
const notBegun: PlainPage = {
  title: 'You were not let in',
  text: 'In this browser no log-in was begun that could go on here, or it was longer than ten minutes ago.',
  link: again,
};
const providerFailed: PlainPage = {
  title: 'The identity provider failed',
  text: 'The identity provider could not be reached, or did not answer as it should (PROVIDER_FAILED). The log of the gateway says more.',
  link: again,
};

function show(reply: FastifyReply, status: number, page: PlainPage): FastifyReply {
  return reply.code(status).header('content-security-policy', PAGE_POLICY).type('text/html; charset=utf-8').send(plainPage(page));
}

/** The path of this gateway that somebody wants to go to; whatever could lead elsewhere becomes its beginning. */
export function localPath(asked: string | null): string {
  // Browsers read a backslash as a slash and leave out tabs and line ends, so that several texts are a `//host`.
  if (asked === null || asked.length > 512 || !/^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(asked)) return '/';
  const url = URL.parse(asked, 'https://gateway.invalid');
  if (url?.origin !== 'https://gateway.invalid' || url.pathname.startsWith('//')) return '/';
  // Nor back to here, which would go round in circles.
  return url.pathname === '/login' || url.pathname.startsWith('/login/') ? '/' : `${url.pathname}${url.search}${url.hash}`;
}

/** As it was sent, with names that come more than once. */
function queryOf(request: FastifyRequest): URLSearchParams {
  const address = request.raw.url ?? '';
  const start = address.indexOf('?');
  return new URLSearchParams(start === -1 ? '' : address.slice(start + 1));
}

/** `address:port` of the client, as records have it. */
function sourceOf({ raw: { socket } }: FastifyRequest): string {
  const address = socket.remoteAddress ?? 'unknown';
  return `${isIP(address) === 6 ? `[${address}]` : address}:${socket.remotePort ?? 0}`;
}

/** Undefined as well when there are several: one of them is somebody else's. */
function cookieOf(request: FastifyRequest): string | undefined {
  const found = (request.headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${COOKIE}=`));
  return found.length === 1 ? found[0]?.slice(COOKIE.length + 1) : undefined;
}
