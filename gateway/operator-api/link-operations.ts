import { randomBytes } from 'node:crypto';
import type { OperationInput, OperationOutput } from '../../contract/operator-api.ts';
import { isoMicros } from '../base/clock.ts';
import { SallyportError } from '../base/errors.ts';
import { loginRequired } from './authorise.ts';
import type { NewLogin } from './log-ins.ts';
import type { LoginCodes } from './login-codes.ts';
import { enter, handOver, type LoginParts } from './login-operations.ts';
import type { Asking, Performers } from './operations.ts';
import { operatorInForce } from './operators.ts';
import { Pace } from './pace.ts';
import { Refusal } from './problem.ts';

/** Over HTTPS it is used by the program that asked for it; on the control socket by a person, who types or clicks. */
const VALID_MICROS = 60 * 1_000_000;
const VALID_ON_SOCKET_MICROS = 600 * 1_000_000;

/** Each is a record. A person makes one now and then. */
const LINKS = { burst: 30, perMinute: 10 };

export interface LinkParts extends LoginParts {
  readonly codes: LoginCodes;
}

/** Logging in by a code that is good once: for a browser or an app beside whoever is logged in, or who runs the gateway. */
export function linkOperations(parts: LinkParts): Pick<Performers, 'login.link' | 'login.code'> {
  const pace = new Pace(LINKS);
  return {
    'login.link': async (input, asking) => {
      // Whoever has the control socket could write any record.
      if (asking.operator !== undefined) pace.take(asking.operator.name, 'requests for links');
      return makeLink(input, asking, parts);
    },
    'login.code': (input, asking) => enterByCode(input, asking, parts),
  };
}

async function makeLink(
  { operator: named }: OperationInput<'login.link'>,
  asking: Asking,
  parts: LinkParts,
): Promise<OperationOutput<'login.link'>> {
  const { codes, records, gatewayName } = parts;
  const id = randomBytes(8).toString('hex');
  const onSocket = asking.actor.authentication?.method === 'local-user' && asking.operator === undefined;
  const login = onSocket ? forSomebody(named, asking, id, parts) : forOneself(named, asking, id, parts);
  const made = codes.make(login, onSocket ? VALID_ON_SOCKET_MICROS : VALID_MICROS);
  const validTo = isoMicros(made.expires);
  await records.append({
    type: 'operator.link',
    outcome: 'success',
    actor: asking.actor,
    target: { name: gatewayName, kind: 'gateway' },
    body: { link: id, operator: login.operator, validTo },
  });
  made.put();
  return { operator: login.operator, code: made.code, expires: validTo };
}

/** Whoever has the control socket could write any operator into the configuration. */
function forSomebody(named: string | undefined, { actor }: Asking, id: string, { operators }: LinkParts): NewLogin {
  if (named === undefined)
    throw new SallyportError('REQUEST_INVALID', 'it is not said who is to be logged in', {
      remedy: 'name an operator of the configuration',
    });
  const found = operatorInForce(named, operators);
  if ('refused' in found) {
    throw new SallyportError('CONFLICT', `nobody can log in as ${named}: ${found.refused}`, {
      remedy: 'sallyport operator list shows who is an operator',
    });
  }
  return { operator: named, authentication: { method: 'link', link: { id, by: actor.principal, method: 'local-user' } } };
}

/** It counts no more, and no longer, than the log-in that makes it. */
function forOneself(named: string | undefined, { operator }: Asking, id: string, { logIns }: LinkParts): NewLogin {
  if (operator === undefined) throw loginRequired();
  if (operator.kind !== 'login') {
    const error = new SallyportError('LOGIN_REFUSED', 'a program cannot log a person in', { remedy: 'log in yourself: sallyport login' });
    throw new Refusal(403, error);
  }
  if (named !== undefined && named !== operator.name) {
    throw new SallyportError('ROLE_MISSING', `${operator.name} can make a link for themselves and for nobody else`, {
      remedy: 'on the machine of the gateway, its user can: sallyport console --data DIR --operator NAME',
    });
  }
  const inherited = logIns.inherited(operator.token);
  if (inherited === undefined) {
    throw new SallyportError('CONFLICT', 'this log-in goes back to a link of a link too many times', {
      remedy: 'log in anew with your key',
    });
  }
  const { key, provider, method } = inherited.authentication;
  return {
    ...inherited,
    authentication: {
      method: 'link',
      ...(key === undefined ? {} : { key }),
      ...(provider === undefined ? {} : { provider }),
      link: { id, by: operator.name, method },
    },
  };
}

async function enterByCode(
  { code, cookie }: OperationInput<'login.code'>,
  asking: Asking,
  parts: LinkParts,
): Promise<OperationOutput<'login.code'>> {
  const { source } = asking.actor;
  parts.refused.requireAllowed(source);
  const refuse = async (user: string, reason: string): Promise<never> => {
    await parts.refused.logIn(source, { method: 'link', user, reason });
    // The same words whatever was wrong.
    throw new SallyportError('LOGIN_REFUSED', 'the log-in was refused: this code is not good, or not any more', {
      remedy: 'a code is good once, and for a short time; make another one: sallyport console',
    });
  };
  const found = parts.codes.find(code);
  if (found === undefined) return refuse('', 'there is no such code, or it has expired, or was used');
  const { login } = found;
  // A link of somebody else must not make a browser theirs without a word.
  if (cookie && asking.operator !== undefined && asking.operator.name !== login.operator) {
    throw new SallyportError('CONFLICT', `this browser is logged in as ${asking.operator.name}, and the code is one of ${login.operator}`, {
      remedy: 'log out first, if that is what you want',
    });
  }
  if (!found.take()) return refuse(login.operator, 'the code was used at the same moment');
  const maker = login.madeBy?.at(-1);
  if (maker !== undefined && parts.logIns.stillGood(maker) === undefined)
    return refuse(login.operator, 'the log-in that made the code has ended');
  const allowed = operatorInForce(login.operator, parts.operators, login.claimed);
  if ('refused' in allowed) return refuse(login.operator, allowed.refused);
  return handOver(await enter(login, source, parts), cookie, asking);
}
