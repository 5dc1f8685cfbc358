import { canonicalText } from '../../contract/canonical.ts';
import type { RecordDraft } from '../../contract/record.ts';
import type { Principal } from '../identity/principal.ts';
import type { Records } from '../ledger/records.ts';
import type { Database } from '../store/database.ts';
import type { KnownIdentity } from '../store/identities-table.ts';

export interface IdentityWatchParts {
  readonly database: Pick<Database, 'identities'>;
  readonly records: Pick<Records, 'appendTogether' | 'gateway'>;
  readonly gatewayName: string;
}

/** So many are written in one transaction: few enough that making them does not hold up what the gateway serves. */
const GROUP = 100;
/** Of each person, so that their record does not have to be shortened. */
const MOST_GROUPS = 300;

/**
 * Records who is known from here on, as far as that differs from what the records say so far: at a start against what a
 * gateway before this one wrote, at a reload against the configuration before. Resolves when all of it is durable. What
 * is cut off by a crash is recorded at the next start.
 */
export function identityWatch({
  database,
  records,
  gatewayName,
}: IdentityWatchParts): (principals: ReadonlyMap<string, Principal>) => Promise<number> {
  let before: Promise<unknown> = Promise.resolve();
  const record = async (principals: ReadonlyMap<string, Principal>): Promise<number> => {
    const left = new Map(principals);
    const changed: KnownIdentity[] = [];
    for await (const page of database.identities.all()) {
      for (const known of page) {
        const principal = left.get(known.principal);
        const now = principal === undefined ? removed(known) : identityOf(principal);
        left.delete(known.principal);
        if (canonicalText(now) !== canonicalText(known)) changed.push(now);
      }
    }
    for (const principal of left.values()) changed.push(identityOf(principal));
    for (let from = 0; from < changed.length; from += GROUP)
      await records.appendTogether(changed.slice(from, from + GROUP).map((body) => draftOf(body)));
    return changed.length;
  };
  const draftOf = (body: KnownIdentity): RecordDraft<'identity.changed'> => ({
    type: 'identity.changed',
    outcome: 'success',
    actor: records.gateway,
    target: { name: gatewayName, kind: 'gateway' },
    body,
  });
  // One after the other: two reloads at the same moment would record the same change twice.
  return (principals) => {
    const recorded = before.then(() => record(principals));
    before = recorded.catch(() => undefined); // Told to whoever asked for it.
    return recorded;
  };
}

function identityOf({ name, kind, onBehalfOf, groups, operator, disabled }: Principal): KnownIdentity {
  return {
    principal: name,
    kind,
    state: disabled ? 'disabled' : 'known',
    ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
    groups: groups.toSorted().slice(0, MOST_GROUPS),
    operator: operator.toSorted(),
  };
}

function removed({ principal, kind, onBehalfOf }: KnownIdentity): KnownIdentity {
  return { principal, kind, state: 'removed', ...(onBehalfOf === undefined ? {} : { onBehalfOf }), groups: [], operator: [] };
}
