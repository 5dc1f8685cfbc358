import type { OperationInput, OperationOutput } from '../../contract/operator-api.ts';
import type { RecordDraft } from '../../contract/record.ts';
import { KEY_NAMESPACE, statementText } from '../../contract/signed-statements.ts';
import { type Clock, isoMicros } from '../base/clock.ts';
import { SallyportError } from '../base/errors.ts';
import type { Records } from '../ledger/records.ts';
import { verifySshSignature } from '../ledger/ssh-signature.ts';
import { type LoggedIn, loginRequired } from './authorise.ts';
import { fingerprintOf } from './key-fingerprint.ts';
import type { LogIns } from './log-ins.ts';
import type { Asking, Performers } from './operations.ts';
import { Pace } from './pace.ts';
import { MOST_KEYS, type RegisteredKeys } from './registered-keys.ts';

/** Kinds that a device makes and keeps without anybody touching it. Others belong into the configuration. */
const KINDS: readonly string[] = ['ssh-ed25519', 'ecdsa-sha2-nistp256'];

/** Each is a record, also one that is refused. */
const KEYS = { burst: 30, perMinute: 10 };

export interface KeyParts {
  readonly registered: RegisteredKeys;
  /** Whose a key is already by the configuration in force, in words; also that of an authority. */
  readonly takenBy: (fingerprint: string) => string | undefined;
  readonly logIns: LogIns;
  readonly records: Pick<Records, 'append' | 'appendTogether'>;
  readonly clock: Clock;
  readonly gatewayName: string;
  /** Of the ledger; part of what is signed. */
  readonly origin: string;
  readonly logInsChanged: () => void;
}

/** Keys that operators register themselves, beside those of the configuration: what a device of theirs signs with. */
export function keyOperations(parts: KeyParts): Pick<Performers, 'key.list' | 'key.add' | 'key.remove'> {
  let before: Promise<unknown> = Promise.resolve();
  const pace = new Pace(KEYS);
  return {
    'key.list': async (_input, { operator }) => listKeys(operator),
    // One after the other: two at the same moment could be one too many, or the same key of two people.
    'key.add': async (input, asking) => {
      pace.take(asking.actor.principal, 'keys');
      const added = before.then(() => addKey(input, asking, parts));
      before = added.catch(() => undefined); // Told to whoever asked for it.
      return added;
    },
    'key.remove': (input, asking) => removeKey(input, asking, parts),
  };
}

function listKeys(operator: LoggedIn | undefined): OperationOutput<'key.list'> {
  if (operator === undefined) throw loginRequired();
  return {
    keys: operator.keys.map(({ line, fingerprint, label = '', registered: since }) => ({
      key: line,
      fingerprint,
      from: since === undefined ? ('configuration' as const) : ('registered' as const),
      label,
      since: since?.since ?? null,
    })),
  };
}

async function addKey(
  { key: given, label, signature }: OperationInput<'key.add'>,
  { operator: asked, actor }: Asking,
  parts: KeyParts,
): Promise<OperationOutput<'key.add'>> {
  const { registered, logIns, records, clock, gatewayName, origin } = parts;
  // As it is now: whoever waited for their turn may have been locked meanwhile.
  const operator = asked === undefined ? undefined : logIns.stillGood(asked.token);
  if (operator === undefined) throw loginRequired();
  const { name, token } = operator;
  const key = given.trim().split(/\s+/, 2).join(' ');
  if (!label.isWellFormed() || /\p{Cc}/u.test(label)) throw new SallyportError('REQUEST_INVALID', 'label: it is not one line of text');
  if (!KINDS.includes(key.split(' ', 1)[0] ?? '')) throw refused('a key that is registered is ssh-ed25519 or ecdsa-sha2-nistp256');
  const { text } = statementText({ kind: 'key', origin, operator: name, key, login: token });
  const signer = verifySshSignature(signature, Buffer.from(text, 'utf8'), KEY_NAMESPACE);
  if (signer.line !== key) throw refused('the signature was made with another key than the one that is to be registered');
  const fingerprint = fingerprintOf(signer.blob);
  const why = reasonAgainst(operator, fingerprint, parts);
  const draft: RecordDraft = {
    type: 'operator.key',
    outcome: why === undefined ? 'success' : 'denied',
    actor,
    target: { name: gatewayName, kind: 'gateway' },
    body: { operator: name, change: 'added', key, fingerprint, label, ...(why === undefined ? { signature } : { reason: why }) },
  };
  await records.append(draft);
  if (why !== undefined) throw refused(why);
  registered.put({ operator: name, key, fingerprint, label, since: isoMicros(clock.wallMicros()) });
  return { fingerprint };
}

function reasonAgainst({ name, mayAddKey }: LoggedIn, fingerprint: string, { registered, takenBy }: KeyParts): string | undefined {
  if (mayAddKey === undefined)
    return 'a key is registered within ten minutes of logging in with a key of the configuration or through the identity provider, and this log-in is older, or was made otherwise';
  const owner = takenBy(fingerprint) ?? registered.find(fingerprint)?.operator;
  if (owner !== undefined) return owner === name ? 'this key counts already' : 'this key belongs to somebody else';
  return registered.of(name).length >= MOST_KEYS ? `${name} has ${MOST_KEYS} registered keys already` : undefined;
}

/** What is removed counts no more from here on, be it that the disk takes no record of it: then that is the answer. */
async function removeKey(
  { fingerprint, operator: named, reason }: OperationInput<'key.remove'>,
  { operator, actor }: Asking,
  parts: KeyParts,
): Promise<OperationOutput<'key.remove'>> {
  const { registered, takenBy, logIns, records, gatewayName, logInsChanged } = parts;
  if (operator === undefined) throw loginRequired();
  const owner = named ?? operator.name;
  const isAdmin = operator.roles.includes('admin');
  if (!isAdmin && owner !== operator.name)
    throw new SallyportError('ROLE_MISSING', `keys of ${owner} are taken back by ${owner}, or by an admin`, { remedy: 'ask an admin' });
  if (!isAdmin && operator.kind !== 'login')
    throw new SallyportError('KEY_REFUSED', 'a key is taken back by a person, and by no program of theirs', { remedy: 'log in yourself' });
  const known = registered.find(fingerprint);
  if (known?.operator !== owner) {
    if (takenBy(fingerprint) === owner)
      throw new SallyportError('CONFLICT', `this key of ${owner} stands in the configuration`, {
        remedy: 'take it away there, and reload',
      });
    throw new SallyportError('NOT_FOUND', `${owner} has no registered key with this fingerprint`);
  }
  registered.remove(fingerprint);
  const ended = logIns.held({ operator: owner }).filter(({ authentication }) => authentication.key === fingerprint);
  for (const { id } of ended) logIns.end(id);
  logInsChanged();
  const target = { name: gatewayName, kind: 'gateway' } as const;
  const { line: key, label } = known;
  await records.appendTogether([
    {
      type: 'operator.key',
      outcome: 'success',
      actor,
      target,
      body: { operator: owner, change: 'removed', key, fingerprint, label, reason },
    },
    ...ended.map(
      ({ id }): RecordDraft => ({
        type: 'credential.revoked',
        outcome: 'success',
        actor,
        target,
        body: { credential: 'operator-token', id, reason: 'the key that it was made with was removed' },
      }),
    ),
  ]);
  return {};
}

function refused(why: string): SallyportError {
  return new SallyportError('KEY_REFUSED', `the key is not registered: ${why}`, {
    remedy: 'log out and in again with your SSH key or through the identity provider, and register a key of this device at once',
  });
}
