import { LOGIN_NAMESPACE } from '../../../contract/login-challenge.ts';
import type { OperationOutput } from '../../../contract/operator-api.ts';
import { statementText } from '../../../contract/signed-statements.ts';
import { SallyportError } from '../../base/errors.ts';
import { type AskedOverHttps, askOverHttps, type ReachedGateway } from '../gateway-connection.ts';
import { findSigners, type SshSigner } from '../ssh-signer.ts';
import { REVIEWER } from './prepare.ts';

export interface DemoApi {
  readonly gateway: ReachedGateway;
  /** File of the reviewer's private key. */
  readonly key: string;
}

const PATIENCE_MILLIS = 5000;
const LOOK_AGAIN_MILLIS = 50;

/** Waits for what a session asks for, and approves it with the reviewer's key; gives the session's outcome. */
export async function approveAsReviewer<T>(api: DemoApi, session: Promise<T>): Promise<T> {
  session.catch(() => undefined); // Told by whoever waits for it, in the end.
  const [signer] = await findSigners({ key: api.key });
  if (signer === undefined) throw new SallyportError('INTERNAL', `there is no key in ${api.key}`);
  const asked = await logIn(api, signer);
  const { output: me } = await askOverHttps(asked, 'whoami', {});
  const request = await waiting(asked);
  const decision = { verdict: 'approve', reviewer: REVIEWER, reason: 'the demo shows what an approval looks like' } as const;
  const { namespace, text } = statementText({ kind: 'approval', origin: me.origin, request, decision });
  const { key, signature } = await signer.sign(text, namespace);
  const { verdict, reason } = decision;
  await askOverHttps(asked, 'approval.decide', { approval: request.id, digest: request.digest, verdict, reason, key, signature });
  await askOverHttps(asked, 'logout', {});
  return session;
}

async function logIn({ gateway }: DemoApi, signer: SshSigner): Promise<AskedOverHttps> {
  const { output } = await askOverHttps({ gateway }, 'login.challenge', { operator: REVIEWER });
  const { signature } = await signer.sign(output.challenge, LOGIN_NAMESPACE);
  const entered = await askOverHttps({ gateway }, 'login.ssh', { challenge: output.challenge, signature, cookie: false });
  return { gateway, token: entered.output.token ?? '' };
}

async function waiting(asked: AskedOverHttps): Promise<OperationOutput<'approval.list'>['approvals'][number]['request']> {
  const until = performance.now() + PATIENCE_MILLIS;
  while (performance.now() < until) {
    const { output } = await askOverHttps(asked, 'approval.list', { all: false, limit: 1 });
    const [first] = output.approvals;
    if (first !== undefined) return first.request;
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MILLIS));
  }
  throw new SallyportError('INTERNAL', 'the session of the demo that asks for an approval did not ask');
}
