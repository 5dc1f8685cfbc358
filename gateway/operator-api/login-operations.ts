import { LOGIN_NAMESPACE } from '../../contract/login-challenge.ts';
import type { OperationInput, OperationOutput } from '../../contract/operator-api.ts';
import { type Clock, isoMicros } from '../base/clock.ts';
import { asSallyportError, SallyportError } from '../base/errors.ts';
import type { Records } from '../ledger/records.ts';
import { signatureKey, verifySshSignature } from '../ledger/ssh-signature.ts';
import { loginRequired } from './authorise.ts';
import { fingerprintOf } from './key-fingerprint.ts';
import type { LogIns, NewLogin } from './log-ins.ts';
import type { LoginChallenges } from './login-challenges.ts';
import type { Asking, Performers } from './operations.ts';
import { type Operators, operatorInForce } from './operators.ts';
import type { RefusedLogIn, RefusedLogIns } from './refused-log-ins.ts';

/** What an identity provider says of somebody. */
export interface ProvidedPerson {
  readonly name: string;
  readonly claimedGroups: readonly string[];
  readonly issuer: string;
  readonly subject: string;
  readonly amr?: readonly string[];
  readonly acr?: string;
}

/** The identity provider that operators log in through, as far as the configuration in force names one. */
export interface ProviderLogIns {
  /** For clients that run a flow themselves. */
  provider(): OperationOutput<'login.provider'>['provider'];
  /** `refused` is for the record; whoever tried is not told. No token is taken twice. Throws PROVIDER_FAILED. */
  verifyProviderToken(idToken: string, nonce?: string): Promise<{ readonly person: ProvidedPerson } | { readonly refused: string }>;
}

export interface LoginParts {
  readonly logIns: LogIns;
  readonly challenges: LoginChallenges;
  readonly refused: RefusedLogIns;
  readonly operators: Operators;
  readonly providerLogIns: ProviderLogIns;
  readonly records: Pick<Records, 'append'>;
  readonly clock: Clock;
  readonly gatewayName: string;
  /** Of the ledger. */
  readonly origin: string;
  /** Ends what still runs with a log-in that has ended. */
  readonly logInsChanged: () => void;
}

type LoginOperations = Pick<Performers, 'login.challenge' | 'login.ssh' | 'login.oidc' | 'login.provider' | 'logout' | 'whoami'>;

export function loginOperations(parts: LoginParts): LoginOperations {
  return {
    'login.challenge': async ({ operator }, { actor }) => {
      parts.refused.requireAllowed(actor.source);
      if (!operator.isWellFormed()) throw new SallyportError('REQUEST_INVALID', 'operator: it is not text');
      return parts.challenges.make(operator);
    },
    'login.ssh': (input, asking) => loginWithKey(input, asking, parts),
    'login.oidc': (input, asking) => loginWithProvider(input, asking, parts),
    'login.provider': async () => ({ provider: parts.providerLogIns.provider() }),
    logout: (_input, asking) => logOut(asking, parts),
    whoami: (_input, asking) => whoAmI(asking, parts),
  };
}

async function loginWithKey(
  { challenge, signature, cookie }: OperationInput<'login.ssh'>,
  asking: Asking,
  parts: LoginParts,
): Promise<OperationOutput<'login.ssh'>> {
  parts.refused.requireAllowed(asking.actor.source);
  const opened = parts.challenges.open(challenge);
  const user = opened?.operator ?? '';
  const fail = (refused: Omit<RefusedLogIn, 'method' | 'user'>) =>
    refuse({ method: 'publickey', user, ...refused }, asking.actor.source, parts);
  // The signature is looked at whatever else is wrong, so that the time says nothing of who there is.
  const signer = signerOf(challenge, signature);
  if ('fault' in signer) return fail({ reason: signer.fault, ...keyIn(signature) });
  const key = fingerprintOf(signer.blob);
  if (opened === undefined) return fail({ reason: 'the challenge is not one of this gateway, or has expired, or was used', key });
  const found = operatorInForce(user, parts.operators);
  if ('refused' in found) return fail({ reason: found.refused, key });
  if (!found.operator.keys.some(({ fingerprint }) => fingerprint === key)) return fail({ reason: `this is no key of ${user}`, key });
  if (!opened.use()) return fail({ reason: 'the challenge was used before', key });
  return handOver(
    await enter({ operator: user, authentication: { method: 'publickey', key } }, asking.actor.source, parts),
    cookie,
    asking,
  );
}

async function loginWithProvider(
  { idToken, nonce, cookie }: OperationInput<'login.oidc'>,
  asking: Asking,
  parts: LoginParts,
): Promise<OperationOutput<'login.oidc'>> {
  const { refused, providerLogIns } = parts;
  refused.requireAllowed(asking.actor.source);
  if (providerLogIns.provider() === null) {
    throw new SallyportError('LOGIN_REFUSED', 'this gateway has no identity provider to log in through', {
      remedy: 'log in with an SSH key, or configure a provider',
    });
  }
  const outcome = await providerLogIns.verifyProviderToken(idToken, nonce);
  if ('refused' in outcome) return refuse({ method: 'oidc', user: '', reason: outcome.refused }, asking.actor.source, parts);
  return handOver(await enterProvided(outcome.person, asking.actor.source, parts), cookie, asking);
}

/** Lets somebody in whom the identity provider knows. Throws LOGIN_REFUSED for whoever may nothing here. */
export async function enterProvided(person: ProvidedPerson, source: string, parts: LoginParts): Promise<Entered> {
  const { name, claimedGroups, issuer, subject, amr, acr } = person;
  const claimed = { issuer, groups: claimedGroups };
  const found = operatorInForce(name, parts.operators, claimed);
  if ('refused' in found) return refuse({ method: 'oidc', user: name, reason: found.refused }, source, parts);
  const provider = { issuer, subject, ...(amr === undefined ? {} : { amr: [...amr] }), ...(acr === undefined ? {} : { acr }) };
  return enter({ operator: name, claimed, authentication: { method: 'oidc', provider } }, source, parts);
}

export interface Entered {
  readonly token: string;
  readonly expires: Date;
  readonly output: OperationOutput<'login.ssh'>;
}

/** The log-in counts from its record on. Throws LOGIN_REFUSED for whoever may nothing here. */
export async function enter(login: NewLogin, source: string, parts: LoginParts): Promise<Entered> {
  const { logIns, operators, refused, records, gatewayName } = parts;
  const found = operatorInForce(login.operator, operators, login.claimed);
  if ('refused' in found) throw notLetIn();
  const { token, known } = logIns.make(login);
  const roles = [...found.operator.roles];
  const expires = isoMicros(known.expires);
  await records.append({
    type: 'operator.login',
    outcome: 'success',
    actor: { principal: login.operator, kind: 'human', authentication: login.authentication, source },
    target: { name: gatewayName, kind: 'gateway' },
    body: { method: login.authentication.method, roles, token: known.id, validTo: expires },
  });
  logIns.put(known);
  refused.succeeded(source);
  return { token, expires: new Date(known.expires / 1000), output: { operator: login.operator, roles, expires } };
}

/** The token, or a cookie with it for a browser that wants one. */
export function handOver({ output, token, expires }: Entered, wantsCookie: boolean, { cookie }: Asking): OperationOutput<'login.ssh'> {
  if (!wantsCookie || cookie === undefined) return { ...output, token };
  cookie.give(token, expires);
  return output;
}

async function logOut({ operator, actor, cookie }: Asking, parts: LoginParts): Promise<OperationOutput<'logout'>> {
  if (operator === undefined) throw loginRequired();
  const target = { name: parts.gatewayName, kind: 'gateway' } as const;
  // It ends whether or not that can be recorded.
  parts.logIns.end(operator.token);
  parts.logInsChanged();
  cookie?.take();
  const fact =
    operator.kind === 'login'
      ? ({ type: 'operator.logout', body: { token: operator.token } } as const)
      : ({
          type: 'credential.revoked',
          body: { credential: 'operator-token', id: operator.token, reason: 'its holder logged out' },
        } as const);
  await parts.records.append({ ...fact, outcome: 'success', actor, target });
  return {};
}

async function whoAmI({ operator }: Asking, { origin }: LoginParts): Promise<OperationOutput<'whoami'>> {
  if (operator === undefined) throw loginRequired();
  const { name, roles, groups, token, expires, mayAddKey = null } = operator;
  const keys = operator.keys.map(({ line }) => line);
  return { operator: name, roles: [...roles], groups: [...groups], login: token, expires, mayAddKey, origin, keys };
}

async function refuse(refused: RefusedLogIn, source: string, parts: LoginParts): Promise<never> {
  await parts.refused.logIn(source, refused);
  throw notLetIn();
}

/** The same words whoever it was and whatever was wrong. */
function notLetIn(): SallyportError {
  return new SallyportError('LOGIN_REFUSED', 'the log-in was refused', {
    remedy:
      "ask for a challenge and sign it within two minutes with a key that the configuration lists of a human who is an operator; the gateway's records say what was wrong",
  });
}

function signerOf(challenge: string, signature: string): { readonly blob: Buffer } | { readonly fault: string } {
  try {
    return verifySshSignature(signature, Buffer.from(challenge, 'utf8'), LOGIN_NAMESPACE);
  } catch (thrown) {
    return { fault: asSallyportError(thrown).message };
  }
}

/** The key that a signature claims, for the record. */
function keyIn(signature: string): { key?: string } {
  try {
    return { key: fingerprintOf(Buffer.from(signatureKey(signature).split(' ')[1] ?? '', 'base64')) };
  } catch {
    return {}; // Then there is none to tell.
  }
}
