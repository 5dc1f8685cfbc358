import type { LoggedIn } from '../../contract/desktop-bridge.ts';
import type { OperationOutput } from '../../contract/operator-api.ts';
import { DesktopError } from '../base/desktop-error.ts';
import { askOperation } from '../gateway/operations-client.ts';
import type { TrustedGateway } from '../keep/known-gateways.ts';
import type { SigningKey } from '../keep/signing-key.ts';
import { logInWithKey } from '../login/key-log-in.ts';
import { logInCode } from '../login/log-in-code.ts';
import { logInAtProvider } from '../login/provider-log-in.ts';
import type { Answers } from './dispatch.ts';
import type { GatewayInUse } from './gateway-in-use.ts';

export interface LogInParts {
  readonly inUse: GatewayInUse;
  readonly key: SigningKey;
  readonly openInBrowser: (address: string) => Promise<void>;
}

type LogInAnswers = Pick<Answers, 'login.ways' | 'login.provider' | 'login.cancel' | 'login.code' | 'login.key' | 'login.out'>;

/** Logging in and out. The token that comes of it stays in this process; the page learns who is logged in. */
export function logInAnswers({ inUse, key, openInBrowser }: LogInParts): LogInAnswers {
  let flow: AbortController | undefined;

  async function keep(gateway: TrustedGateway, { token, operator, roles, expires }: OperationOutput<'login.ssh'>): Promise<LoggedIn> {
    if (token === undefined) throw new DesktopError('LOGIN_REFUSED', 'the gateway gave no token');
    await inUse.loggedIn(gateway, { token, operator, roles, expires });
    return { operator, roles, expires };
  }

  return {
    'login.ways': async () => {
      const { client } = inUse.reach();
      const { provider } = await askOperation(client, 'login.provider', {});
      return { provider: provider?.issuer ?? null, key: (await key.info()) !== undefined };
    },
    'login.provider': async () => {
      flow?.abort();
      const mine = new AbortController();
      flow = mine;
      const { signal } = mine;
      try {
        const { gateway, client } = inUse.reach();
        const { provider } = await askOperation(client, 'login.provider', {}, { signal });
        if (provider === null) {
          throw new DesktopError('LOGIN_REFUSED', 'this gateway has no identity provider to log in through', {
            remedy: 'log in with a code or with the key of this device',
          });
        }
        const answer = await logInAtProvider(provider, { openInBrowser, signal });
        return await keep(gateway, await askOperation(client, 'login.oidc', { ...answer, cookie: false }));
      } catch (thrown) {
        if (signal.aborted) throw new DesktopError('LOGIN_REFUSED', 'the log-in was broken off', { cause: thrown });
        throw thrown;
      } finally {
        if (flow === mine) flow = undefined;
      }
    },
    'login.cancel': async () => {
      flow?.abort();
      return {};
    },
    'login.code': async ({ code }) => {
      const { gateway, client } = inUse.reach();
      return keep(gateway, await askOperation(client, 'login.code', { code: logInCode(code, gateway.origin), cookie: false }));
    },
    'login.key': async ({ operator }) => {
      const { gateway, client } = inUse.reach();
      return keep(gateway, await logInWithKey(client, key, operator));
    },
    'login.out': async () => {
      const { gateway, client, logIn } = inUse.reach();
      if (logIn === undefined) return {};
      // Here it is over whatever the gateway says.
      await inUse.logOut(gateway);
      try {
        await askOperation(client, 'logout', {}, logIn);
      } catch (thrown) {
        if (!(thrown instanceof DesktopError && thrown.code === 'LOGIN_REQUIRED')) throw thrown;
      }
      return {};
    },
  };
}
