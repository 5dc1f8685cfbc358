import type { RecordDraft } from '../../contract/record.ts';
import type { Config } from '../config/types.ts';
import type { Records } from '../ledger/records.ts';
import type { OperatorKey } from '../operator-api/operators.ts';
import { RegisteredKeys } from '../operator-api/registered-keys.ts';
import type { Database } from '../store/database.ts';

export interface RegisteredKeySurroundings {
  readonly database: Pick<Database, 'operatorKeys'>;
  readonly records: Pick<Records, 'appendTogether' | 'gateway'>;
  readonly gatewayName: string;
  readonly config: () => Pick<Config, 'principals' | 'certificates' | 'oidc'>;
  /** Of the gateway's own authority. */
  readonly authority: string;
}

/** Registered keys beside the configuration in force, which comes first. */
export interface RegisteredKeysInForce {
  readonly registered: RegisteredKeys;
  /** Those of an operator that do not stand in the configuration, least of all as somebody else's. */
  keysOf(operator: string): readonly OperatorKey[];
  /** Whose a key is by the configuration. */
  takenBy(fingerprint: string): string | undefined;
  /**
   * Takes back the keys of whoever is not in the configuration any more, and records it: the next who is called so must not
   * come with them. To be called whenever a configuration has come into force.
   */
  dropStrangers(): Promise<void>;
}

export async function openRegisteredKeys(surroundings: RegisteredKeySurroundings): Promise<RegisteredKeysInForce> {
  const { database, records, gatewayName, config, authority } = surroundings;
  const registered = new RegisteredKeys(await database.operatorKeys.registered());
  const takenBy = (fingerprint: string): string | undefined =>
    fingerprint === authority ? "the gateway's certificate authority" : ownersOf(config()).get(fingerprint);
  return {
    registered,
    keysOf: (operator) => registered.of(operator).filter(({ fingerprint }) => takenBy(fingerprint) === undefined),
    takenBy,
    dropStrangers: async () => {
      const { principals, oidc } = config();
      // Where the identity provider says who is there, it is not known who is not.
      if (oidc?.unlisted === true) return;
      const strangers = registered.operators().filter((name) => principals.get(name)?.kind !== 'human');
      const dropped = strangers.flatMap((name) => registered.of(name));
      for (const { fingerprint } of dropped) registered.remove(fingerprint);
      if (dropped.length === 0) return;
      await records.appendTogether(
        dropped.map(
          ({ operator, line: key, fingerprint, label }): RecordDraft => ({
            type: 'operator.key',
            outcome: 'success',
            actor: records.gateway,
            target: { name: gatewayName, kind: 'gateway' },
            body: { operator, change: 'removed', key, fingerprint, label, reason: 'its operator is not in the configuration any more' },
          }),
        ),
      );
    },
  };
}

// A configuration never changes in place, so that each is looked through once.
const owners = new WeakMap<ReadonlyMap<string, unknown>, ReadonlyMap<string, string>>();

function ownersOf({ principals, certificates }: Pick<Config, 'principals' | 'certificates'>): ReadonlyMap<string, string> {
  const known = owners.get(principals);
  if (known !== undefined) return known;
  const made = new Map<string, string>();
  for (const { name, key } of certificates.authorities) made.set(key.fingerprint, `the certificate authority ${name}`);
  for (const { name, sshKeys } of principals.values()) for (const { fingerprint } of sshKeys) made.set(fingerprint, name);
  owners.set(principals, made);
  return made;
}
