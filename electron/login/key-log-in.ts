import { LOGIN_NAMESPACE, loginChallengeSchema } from '../../contract/login-challenge.ts';
import type { OperationOutput } from '../../contract/operator-api.ts';
import { DesktopError } from '../base/desktop-error.ts';
import { askOperation } from '../gateway/operations-client.ts';
import type { PinnedClient } from '../gateway/pinned-client.ts';
import type { SigningKey } from '../keep/signing-key.ts';

/** Logs in with the key of this device. Throws LOGIN_REFUSED, and GATEWAY_MISMATCH for a challenge that is not ours to sign. */
export async function logInWithKey(client: PinnedClient, key: SigningKey, operator: string): Promise<OperationOutput<'login.ssh'>> {
  const { challenge } = await askOperation(client, 'login.challenge', { operator });
  requireMeant(challenge, operator, client.gateway.fingerprint);
  const { signature } = await key.sign(challenge, LOGIN_NAMESPACE);
  return askOperation(client, 'login.ssh', { challenge, signature, cookie: false });
}

/** Whoever stands between would have a challenge of another gateway signed: the certificate that it shows stands in it. */
function requireMeant(challenge: string, operator: string, fingerprint: string): void {
  const read = loginChallengeSchema.safeParse(parsed(challenge));
  if (read.success && read.data.operator === operator && read.data.certificate === fingerprint) return;
  throw new DesktopError('GATEWAY_MISMATCH', 'what the gateway wants signed is not for logging in to it', {
    remedy: 'nothing was signed; somebody may stand between you and the gateway',
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Not a challenge.
  }
}
