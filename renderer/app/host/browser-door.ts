import { schemasOf } from '../../../contract/operator-api.ts';
import { problemOf } from '../client/problem.ts';
import type { HostDoor, HostTransport, KnownGateway, Signer } from './host.ts';

/** Log-in and log-out in a browser. The token of it is a cookie that no script can read. */
export class BrowserDoor implements HostDoor {
  readonly #transport: HostTransport;
  readonly #signer: Signer;
  #code: string | undefined;

  constructor(transport: HostTransport, signer: Signer) {
    this.#transport = transport;
    this.#signer = signer;
    this.#code = codeInAddress();
  }

  async gateways(): Promise<readonly KnownGateway[]> {
    return [{ id: 'here', name: location.host, origin: location.origin, fingerprint: undefined, current: true }];
  }

  async providerLogin(route: string): Promise<void> {
    location.assign(`/login?to=${encodeURIComponent(route)}`);
  }

  async codeLogin(code: string): Promise<void> {
    await this.#post('/api/login/code', { code: codeIn(code) ?? code.trim(), cookie: true });
  }

  async keyLogin(operator: string): Promise<void> {
    const answer = await this.#post('/api/login/challenge', { operator });
    const { challenge } = schemasOf('login.challenge').output.parse(JSON.parse(answer));
    const { signature } = await this.#signer.sign({ kind: 'login', challenge });
    await this.#post('/api/login/ssh', { challenge, signature, cookie: true });
  }

  async logOut(): Promise<void> {
    await this.#post('/api/logout', {});
  }

  takeCode(): string | undefined {
    const code = this.#code;
    this.#code = undefined;
    return code;
  }

  async #post(path: string, body: object): Promise<string> {
    const headers = { 'content-type': 'application/json' };
    const answer = await this.#transport.request(path, { method: 'POST', headers, body: JSON.stringify(body) });
    const text = await answer.text();
    if (answer.status < 200 || answer.status >= 300) throw problemOf(answer.status, text);
    return text;
  }
}

/** The code in a link, `https://HOST/#code=CODE`. */
function codeIn(link: string): string | undefined {
  return /[#?&]code=([\w-]{10,128})/.exec(link)?.[1];
}

/** Taken out of the address at once, so that it is in no history and no screenshot. */
function codeInAddress(): string | undefined {
  const code = codeIn(location.hash);
  if (code !== undefined) history.replaceState(history.state, '', `${location.pathname}${location.search}`);
  return code;
}
