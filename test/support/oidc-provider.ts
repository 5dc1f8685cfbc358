import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { Provider } from 'oidc-provider';
import type { Belongings } from './temp.ts';

/*
 * The package `oidc-provider`, a certified implementation, on loopback and over plain HTTP, which an issuer on loopback may
 * have. Whoever comes to it is logged in as `person` and consents: its pages need no clicking.
 */

export interface ProviderPerson {
  sub: string;
  email?: string;
  email_verified?: boolean;
  groups?: unknown;
  preferred_username?: string;
  amr?: string[];
  acr?: string;
}

export interface TestProvider {
  readonly issuer: string;
  /** Requests that came to the token endpoint and the others, as `METHOD /path`. */
  readonly asked: string[];
  /** Who logs in next. */
  person: ProviderPerson;
  /** Has what somebody answers changed before it is sent; undefined leaves it. */
  tamper: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  /** Seconds between the questions of a device that waits; the usual five make a slow test. */
  paceDevices: number | undefined;
  /** Signs with another key from now on, and no longer has the one before. */
  rotate(): Promise<void>;
  /** A token as the provider itself would sign it, with any content. */
  sign(claims: JWTPayload, header?: { alg?: string; kid?: string; typ?: string }): Promise<string>;
  /** The public half of the key that it signs with, as PEM. */
  publicKey(): CryptoKey;
  /** Follows redirects with a jar of cookies from an address of the provider until it leads away from it. */
  browse(address: string): Promise<string>;
  /** Enters the user code of a device flow. */
  approveDevice(verification: string): Promise<void>;
  denyDevice(verification: string): Promise<void>;
  close(): Promise<void>;
}

export interface TestProviderOptions {
  /** Where the provider may send browsers back to. */
  redirects?: string[];
  alg?: 'RS256' | 'ES256' | 'PS256' | 'EdDSA';
}

/** The clients that it knows. */
export const clients = {
  browser: { id: 'sallyport', secret: 'a secret+of/the client%' },
  /** In a browser as well, without a secret. */
  public: { id: 'sallyport-public' },
  native: { id: 'sallyport-cli' },
  other: { id: 'somebody-else' },
} as const;

export async function startOidcProvider(belongings: Belongings, options: TestProviderOptions = {}): Promise<TestProvider> {
  const alg = options.alg ?? 'RS256';
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const asked: string[] = [];

  let generation = 0;
  const make = async () => {
    generation += 1;
    const pair = await generateKeyPair(alg, { extractable: true });
    const kid = `key-${generation}`;
    const jwk = { ...(await exportJWK(pair.privateKey)), kid, alg, use: 'sig' };
    const provider = new Provider(
      issuer,
      configuration(jwk, alg, options.redirects ?? [], () => test.person),
    );
    return { provider, callback: provider.callback(), pair, kid };
  };
  let current = await make();

  const test: TestProvider = {
    issuer,
    asked,
    person: { sub: 'user-1', email: 'engineer@example.com', email_verified: true },
    tamper: undefined,
    paceDevices: undefined,
    rotate: async () => {
      current = await make();
    },
    sign: (claims, header) => new SignJWT(claims).setProtectedHeader({ alg, kid: current.kid, ...header }).sign(current.pair.privateKey),
    publicKey: () => current.pair.publicKey,
    browse: (address) => new Browser(issuer).follow(address),
    approveDevice: (verification) => decideDevice(issuer, verification, 'confirm'),
    denyDevice: (verification) => decideDevice(issuer, verification, 'abort'),
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
  belongings.add(() => test.close());

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    asked.push(`${request.method} ${request.url?.split('?')[0]}`);
    if (test.tamper?.(request, response) === true) return;
    const { provider, callback } = current;
    const path = request.url ?? '';
    if (path === '/device/auth' && test.paceDevices !== undefined) addInterval(response, test.paceDevices);
    void (path.startsWith('/interaction/') ? letIn(provider, test.person, request, response) : callback(request, response)).catch(
      (thrown: unknown) => response.destroy(thrown instanceof Error ? thrown : undefined),
    );
  });
  return test;
}

function configuration(jwk: object, alg: string, redirects: string[], person: () => ProviderPerson): object {
  const tokens = { id_token_signed_response_alg: alg };
  const native = {
    ...tokens,
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    redirect_uris: ['http://127.0.0.1/callback'],
    grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'],
  };
  const browser = { ...tokens, redirect_uris: redirects.length > 0 ? redirects : ['https://127.0.0.1/login/callback'] };
  return {
    jwks: { keys: [jwk] },
    clients: [
      { ...browser, client_id: clients.browser.id, client_secret: clients.browser.secret },
      { ...browser, client_id: clients.public.id, token_endpoint_auth_method: 'none' },
      { ...native, client_id: clients.native.id },
      { ...native, client_id: clients.other.id },
    ],
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'] },
    // As most providers do: what the scopes ask for stands in the ID token.
    conformIdTokenClaims: false,
    claims: { openid: ['sub', 'amr', 'acr'], email: ['email', 'email_verified'], groups: ['groups'], profile: ['preferred_username'] },
    acrValues: ['urn:example:strong'],
    features: {
      devInteractions: { enabled: false },
      deviceFlow: {
        enabled: true,
        userCodeInputSource: (context: Page, form: string) => show(context, form),
        userCodeConfirmSource: (context: Page, form: string) => show(context, form),
        successSource: (context: Page) => show(context, 'done'),
      },
    },
    cookies: { keys: ['a key for the cookies of the tests'] },
    ttl: { AccessToken: 600, AuthorizationCode: 60, DeviceCode: 600, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
    findAccount: (_context: unknown, id: string) => ({
      accountId: id,
      claims: () => {
        const { amr: _amr, acr: _acr, ...claims } = person();
        return { ...claims, sub: id };
      },
    }),
    renderError: (context: Page, out: object) => show(context, JSON.stringify(out)),
    interactions: { url: (_context: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
  };
}

/** What the package calls a context; its body is what is shown. */
interface Page {
  body: string;
}

function show(page: Page, body: string): void {
  page.body = body;
}

async function letIn(
  provider: Provider,
  { sub, amr, acr }: ProviderPerson,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { prompt, params } = await provider.interactionDetails(request, response);
  const login = { accountId: sub, ...(amr === undefined ? {} : { amr }), ...(acr === undefined ? {} : { acr }) };
  if (prompt.name === 'login') {
    await provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false });
    return;
  }
  const grant = new provider.Grant({ accountId: sub, clientId: params.client_id });
  grant.addOIDCScope((prompt.details.missingOIDCScope ?? []).join(' '));
  grant.addOIDCClaims(prompt.details.missingOIDCClaims ?? []);
  await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
}

/** RFC 8628 section 3.2 has it, and the package does not. */
function addInterval(response: ServerResponse, interval: number): void {
  const end = response.end.bind(response) as (body: string) => ServerResponse;
  const changed = (body: unknown): ServerResponse => {
    const answer = JSON.stringify({ ...(JSON.parse(String(body)) as object), interval });
    response.setHeader('content-length', Buffer.byteLength(answer));
    return end(answer);
  };
  response.end = changed as ServerResponse['end'];
}

/** A person with a browser, as far as the provider can tell. */
class Browser {
  readonly #issuer: string;
  readonly #jar = new Map<string, string>();

  constructor(issuer: string) {
    this.#issuer = issuer;
  }

  async fetch(address: string, form?: Record<string, string>): Promise<Response> {
    const response = await fetch(address, {
      redirect: 'manual',
      headers: { cookie: [...this.#jar].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = line.split(';', 1)[0]?.split(/=(.*)/) ?? [];
      if (value === '') this.#jar.delete(name);
      else this.#jar.set(name, value);
    }
    return response;
  }

  /** The first address that is not the provider's; for a page that is the end, its own address. */
  async follow(address: string): Promise<string> {
    let at = new URL(address);
    for (let step = 0; step < 10 && at.origin === this.#issuer; step += 1) {
      const response = await this.fetch(at.href);
      const location = response.headers.get('location');
      if (location === null)
        throw new Error(`the provider answers ${response.status} at ${at.pathname}: ${(await response.text()).slice(0, 300)}`);
      await response.body?.cancel();
      at = new URL(location, at);
    }
    return at.href;
  }
}

/** The pages of the device flow: the code, whether it is right, then logging in. */
async function decideDevice(issuer: string, verification: string, decision: 'confirm' | 'abort'): Promise<void> {
  const browser = new Browser(issuer);
  const field = (page: string, name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1] ?? '';
  const page = await (await browser.fetch(verification)).text();
  const [xsrf, code] = [field(page, 'xsrf'), field(page, 'user_code')];
  let response = await browser.fetch(`${issuer}/device`, { xsrf, user_code: code, [decision]: 'yes' });
  for (let step = 0; step < 10 && response.headers.get('location') !== null; step += 1)
    response = await browser.fetch(new URL(response.headers.get('location') ?? '', issuer).href);
  if (response.status >= 400 && decision === 'confirm')
    throw new Error(`the provider answers ${response.status}: ${await response.text()}`);
}
