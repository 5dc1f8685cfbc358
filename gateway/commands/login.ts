import { LOGIN_NAMESPACE, loginChallengeSchema } from '../../contract/login-challenge.ts';
import type { OperationOutput } from '../../contract/operator-api.ts';
import { asSallyportError, SallyportError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import { readFingerprint } from './fingerprint.ts';
import { askOverHttps, gatewayUrl, lookAt, type ReachedGateway } from './gateway-connection.ts';
import { type KeptLogin, keepLogin, keptLogins, SYSTEM_TRUST } from './kept-log-ins.ts';
import { askOperator, meantGateway, type OperatorOptions, trustIn } from './operator-client.ts';
import { jsonLine, print } from './output.ts';
import { findSigners, type SshSigner } from './ssh-signer.ts';
import { askYes } from './yes-or-no.ts';

export interface LoginOptions {
  gateway?: string;
  operator?: string;
  key?: string;
  fingerprint?: string;
  /** Through the identity provider of the gateway. */
  device?: boolean;
  browser?: boolean;
  json?: boolean;
}

/** Keys that are tried when none is named; each that is refused counts as a failed attempt. */
const MOST_TRIED = 5;

export async function login(options: LoginOptions): Promise<number> {
  const kept = await keptLogins();
  const named = options.gateway ?? process.env.SALLYPORT_GATEWAY ?? kept.gateway;
  if (named === undefined)
    throw new SallyportError('USAGE', 'It is not said which gateway to log in to', { remedy: 'add --gateway https://HOST:PORT' });
  const url = gatewayUrl(named);
  const before = kept.gateways[url];
  const trusted = () => knownGateway(url, options.fingerprint ?? process.env.SALLYPORT_FINGERPRINT, before);
  if (options.device === true || options.browser === true) {
    const gateway = await trusted();
    const entered = await enterThroughProvider(gateway, options.device === true ? 'device' : 'browser');
    return keep(gateway, entered, before?.key, options);
  }
  const operator = options.operator ?? before?.operator;
  if (operator === undefined)
    throw new SallyportError('USAGE', 'It is not said who logs in', {
      remedy: 'add --operator NAME, as the configuration of the gateway has it',
    });
  const key = options.key ?? before?.key;
  const signers = await findSigners(key === undefined ? {} : { key });
  const gateway = await trusted();
  return keep(gateway, await enter(gateway, operator, signers.slice(0, MOST_TRIED)), key, options);
}

async function keep(
  { url, trust }: ReachedGateway,
  { operator, token, expires, roles }: OperationOutput<'login.ssh'>,
  key: string | undefined,
  options: LoginOptions,
): Promise<number> {
  if (token === undefined) throw new SallyportError('INTERNAL', 'the gateway gave no token');
  await keepLogin(url, { operator, token, expires, trust, ...(key === undefined ? {} : { key }) });
  if (options.json === true) await print(jsonLine({ gateway: url, operator, roles, expires, trust }));
  else await print(`Logged in to ${url} as ${printable(operator)}, ${rolesInWords(roles)}, until ${expires.slice(0, 16)}Z.\n`);
  return 0;
}

function rolesInWords(roles: readonly string[]): string {
  return roles.length === 0 ? 'without a role' : roles.join(' and ');
}

export async function logout(options: OperatorOptions): Promise<number> {
  const { url, login } = await meantGateway(options);
  if (login?.token === undefined)
    throw new SallyportError('LOGIN_REQUIRED', `You are not logged in to ${url}`, { remedy: 'there is nothing to do' });
  try {
    // The log-in that is kept, and not whatever program's token the environment has.
    await askOverHttps({ gateway: { url, trust: trustIn(login) }, token: login.token }, 'logout', {});
  } catch (error) {
    // A log-in that is not good any more is over as well.
    if (asSallyportError(error).code !== 'LOGIN_REQUIRED') throw error;
  }
  const { token: _, expires: __, ...rest } = login;
  await keepLogin(url, rest);
  await print(options.json === true ? jsonLine({ gateway: url, loggedOut: true }) : `Logged out of ${url}.\n`);
  return 0;
}

export async function whoami(options: OperatorOptions): Promise<number> {
  const me = await askOperator(options, 'whoami', {});
  if (options.json === true) await print(jsonLine(me));
  else await print(printable(`${me.operator}, ${rolesInWords(me.roles)}, until ${me.expires.slice(0, 16)}Z`).concat('\n'));
  return 0;
}

/**
 * The certificate is known by the system's authorities, or it is the one that was said or kept. A new one is shown to the
 * person, who compares it with what the gateway prints.
 */
async function knownGateway(url: string, said: string | undefined, before: KeptLogin | undefined): Promise<ReachedGateway> {
  const expected = said === undefined ? before?.trust : readFingerprint(said);
  const { socket, fingerprint, vouchedFor } = await lookAt(url);
  socket.destroy();
  if (expected === fingerprint) return { url, trust: fingerprint };
  if (vouchedFor && said === undefined && (expected === undefined || expected === SYSTEM_TRUST)) return { url, trust: SYSTEM_TRUST };
  if (expected !== undefined) {
    throw new SallyportError('GATEWAY_MISMATCH', `${url} does not show the certificate that was expected, but SHA-256 ${fingerprint}`, {
      remedy:
        'somebody may stand between; compare it with the line that the gateway printed at its start, and give that one as --fingerprint',
    });
  }
  process.stderr.write(
    `The certificate of ${url} is not known here. Its SHA-256 is\n  ${fingerprint}\nThe gateway printed it at its start.\n`,
  );
  await askYes('Is it the same?', `compare it, and add --fingerprint ${fingerprint}`);
  return { url, trust: fingerprint };
}

async function enterThroughProvider(gateway: ReachedGateway, how: 'device' | 'browser'): Promise<OperationOutput<'login.oidc'>> {
  const { output } = await askOverHttps({ gateway }, 'login.provider', {});
  if (output.provider === null) {
    throw new SallyportError('LOGIN_REFUSED', 'this gateway has no identity provider to log in through', {
      remedy: 'log in with your SSH key: leave out --device and --browser',
    });
  }
  const { providerLogIn } = await import('./oidc-flows.ts');
  const answer = await providerLogIn(output.provider, { how, say: (line) => void process.stderr.write(`${line}\n`) });
  return (await askOverHttps({ gateway }, 'login.oidc', { ...answer, cookie: false })).output;
}

/** One key after the other, as ssh does, until one is accepted. */
async function enter(gateway: ReachedGateway, operator: string, signers: readonly SshSigner[]): Promise<OperationOutput<'login.ssh'>> {
  let refused: unknown;
  for (const signer of signers) {
    const { output, fingerprint } = await askOverHttps({ gateway }, 'login.challenge', { operator });
    requireMeant(output.challenge, operator, fingerprint);
    const { signature } = await signer.sign(output.challenge, LOGIN_NAMESPACE);
    try {
      return (await askOverHttps({ gateway }, 'login.ssh', { challenge: output.challenge, signature, cookie: false })).output;
    } catch (error) {
      if (asSallyportError(error).code !== 'LOGIN_REFUSED') throw error;
      refused = error;
    }
  }
  const { message } = asSallyportError(refused);
  throw new SallyportError('LOGIN_REFUSED', `${message}, with ${signers.map(({ where }) => where).join(', and with ')}`, {
    remedy: 'name the key with --key FILE; the configuration has to list it under ssh-keys of this operator, and a role under operator',
  });
}

/** Whoever stands between would have a challenge of the real gateway signed: its certificate stands in it. */
function requireMeant(challenge: string, operator: string, fingerprint: string): void {
  const read = loginChallengeSchema.safeParse(parsed(challenge));
  if (read.success && read.data.operator === operator && read.data.certificate === fingerprint) return;
  throw new SallyportError('GATEWAY_MISMATCH', 'what the gateway wants signed is not for logging in to it', {
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
