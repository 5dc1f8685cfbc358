import type { LoggedIn } from '../../contract/desktop-bridge.ts';
import type { OperationOutput } from '../../contract/operator-api.ts';
import { DesktopError } from '../base/desktop-error.ts';
import { askOperation } from '../gateway/operations-client.ts';
import type { PinnedClient } from '../gateway/pinned-client.ts';
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

interface Reached {
  readonly gateway: TrustedGateway;
  readonly client: PinnedClient;
}

type LogInAnswers = Pick<Answers, 'login.ways' | 'login.provider' | 'login.cancel' | 'login.code' | 'login.key' | 'login.out'>;

/** Logging in and out. The token that comes of it stays in this process; the page learns who is logged in. */
export function logInAnswers({ inUse, key, openInBrowser }: LogInParts): LogInAnswers {
  let flow: AbortController | undefined;

  async function keep({ gateway, client }: Reached, { token, operator, roles, expires }: OperationOutput<'login.ssh'>): Promise<LoggedIn> {
    if (token === undefined) throw new DesktopError('LOGIN_REFUSED', 'the gateway gave no token');
    await inUse.loggedIn(gateway, { token, operator, roles, expires });
    await learnLedger({ gateway, client }, token);
    return { operator, roles, expires };
  }

  /** Before anything is signed for it: whichever gateway says first that a ledger is its own, no other one can say so. */
  async function learnLedger({ gateway, client }: Reached, token: string): Promise<void> {
    try {
      const { origin } = await askOperation(client, 'whoami', {}, { token });
      await inUse.known.learnLedger(gateway.id, origin);
    } catch (thrown) {
      // Whoever signs something asks again, and is told.
      if (!(thrown instanceof DesktopError)) throw thrown;
    }
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
        return await keep({ gateway, client }, await askOperation(client, 'login.oidc', { ...answer, cookie: false }));
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
      return keep({ gateway, client }, await askOperation(client, 'login.code', { code: logInCode(code, gateway.origin), cookie: false }));
    },
    'login.key': async ({ operator }) => {
      const { gateway, client } = inUse.reach();
      return keep({ gateway, client }, await logInWithKey(client, key, operator));
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
