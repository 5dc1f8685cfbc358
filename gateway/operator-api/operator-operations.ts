import type { OperationInput, OperationOutput, Role } from '../../contract/operator-api.ts';
import type { RecordDraft } from '../../contract/record.ts';
import { type Clock, isoMicros } from '../base/clock.ts';
import { SallyportError } from '../base/errors.ts';
import type { Records } from '../ledger/records.ts';
import { type KnownToken, type LogIns, makeToken } from './log-ins.ts';
import type { Asking, Performers } from './operations.ts';
import { type Operators, operatorInForce } from './operators.ts';

/** Tokens of programs, where they survive a restart. One is in force there from the record of its issue to that of its end. */
export interface TokenStore {
  /** Kept, and good for nothing until `credential.issued` is recorded. */
  prepare(token: StoredToken): Promise<void>;
}

export interface StoredToken {
  readonly id: string;
  readonly hash: Uint8Array;
  readonly operator: string;
  readonly roles: readonly Role[];
  /** Microseconds since 1970 (UTC). */
  readonly expires: number;
}

export interface OperatorParts {
  readonly logIns: LogIns;
  readonly operators: Operators;
  readonly tokens: TokenStore;
  readonly records: Pick<Records, 'append' | 'appendTogether'>;
  readonly clock: Clock;
  readonly gatewayName: string;
  readonly logInsChanged: () => void;
}

/** Tokens of programs in force at one time. */
const MOST_TOKENS = 1000;
const DAY_MICROS = 86_400 * 1_000_000;
/** Records that are written together. */
const TOGETHER = 500;

export function operatorOperations(parts: OperatorParts): Pick<Performers, 'operator.list' | 'operator.token' | 'operator.revoke'> {
  return {
    'operator.list': async () => listOperators(parts),
    'operator.token': (input, asking) => issueToken(input, asking, parts),
    'operator.revoke': (input, asking) => revoke(input, asking, parts),
  };
}

/** A token of a program as `LogIns` knows it, at its issue and again after a restart. */
export function programToken({ id, hash, operator, roles, expires }: StoredToken): KnownToken {
  return { id, hash, operator, roles, expires, kind: 'program', authentication: { method: 'operator-token', key: id } };
}

function listOperators({ operators, logIns }: OperatorParts): OperationOutput<'operator.list'> {
  return {
    operators: operators.all().map(({ name, roles, groups, disabled }) => ({ name, roles: [...roles], groups: [...groups], disabled })),
    tokens: logIns.all().map(({ token, name, roles, kind, expires }) => ({ id: token, operator: name, roles: [...roles], kind, expires })),
  };
}

async function issueToken(
  { operator, roles, days, reason }: OperationInput<'operator.token'>,
  { actor, operator: asking }: Asking,
  parts: OperatorParts,
): Promise<OperationOutput<'operator.token'>> {
  const { logIns, operators, tokens, records, clock, gatewayName } = parts;
  // It would outlive the key: who stole a device would keep what they have.
  if (asking?.byRegisteredKey === true) {
    throw new SallyportError('KEY_REFUSED', 'a log-in with a registered key makes no tokens', {
      remedy: 'log in with a key of the configuration or through the identity provider, or use the control socket',
    });
  }
  const found = operatorInForce(operator, operators);
  if ('refused' in found) throw new SallyportError('CONFLICT', `there can be no token in the name of ${operator}: ${found.refused}`);
  const missing = roles.filter((role) => !found.operator.roles.includes(role));
  if (missing.length > 0) {
    throw new SallyportError('CONFLICT', `${operator} is no ${missing.join(' and no ')}, and a token has no more than its operator`, {
      remedy: `give the token ${found.operator.roles.join(' or ')}`,
    });
  }
  if (logIns.held({}).filter(({ kind }) => kind === 'program').length >= MOST_TOKENS)
    throw new SallyportError('CONFLICT', `there are ${MOST_TOKENS} tokens in force already`, {
      remedy: 'revoke those that are not needed',
    });
  const now = clock.wallMicros();
  const own = [...new Set(roles)];
  const expires = now + days * DAY_MICROS;
  const { token, known } = makeToken(programToken({ id: '', hash: Buffer.alloc(0), operator, roles: own, expires }));
  const { id, hash } = known;
  await tokens.prepare({ id, hash, operator, roles: own, expires });
  await records.append({
    type: 'credential.issued',
    outcome: 'success',
    actor,
    target: { name: gatewayName, kind: 'gateway' },
    body: {
      credential: 'operator-token',
      id,
      principal: operator,
      roles: own,
      validFrom: isoMicros(now),
      validTo: isoMicros(expires),
      proof: { method: 'operator', reason },
    },
  });
  logIns.put(programToken({ id, hash, operator, roles: own, expires }));
  return { id, token, expires: isoMicros(expires) };
}

/** What is revoked is not let in from here on, be it that the disk takes no record of it: then that is the answer. */
async function revoke(
  { token, operator, reason }: OperationInput<'operator.revoke'>,
  { actor }: Asking,
  { logIns, records, gatewayName, logInsChanged }: OperatorParts,
): Promise<OperationOutput<'operator.revoke'>> {
  if (token === undefined && operator === undefined)
    throw new SallyportError('REQUEST_INVALID', 'it is not said what is to be revoked', { remedy: 'name a token, an operator or both' });
  const held = logIns.held({ token, operator });
  if (token !== undefined && held.length === 0) {
    throw new SallyportError('NOT_FOUND', `no log-in or token in force has the id ${token}`, {
      remedy: 'sallyport operator list shows them',
    });
  }
  for (const { id } of held) logIns.end(id);
  logInsChanged();
  const drafts = held.map(
    ({ id }): RecordDraft => ({
      type: 'credential.revoked',
      outcome: 'success',
      actor,
      target: { name: gatewayName, kind: 'gateway' },
      body: { credential: 'operator-token', id, reason },
    }),
  );
  for (let at = 0; at < drafts.length; at += TOGETHER) await records.appendTogether(drafts.slice(at, at + TOGETHER));
  return { revoked: held.length };
}
