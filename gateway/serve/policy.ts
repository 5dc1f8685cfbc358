import { loadPolicy } from '../config/policy-check.ts';
import type { Config } from '../config/types.ts';
import type { Records } from '../ledger/records.ts';
import { allowListPolicy } from '../policy/allow-list-policy.ts';
import type { CedarPolicies } from '../policy/cedar/read-policies.ts';
import { cedarPolicy } from '../policy/cedar-policy.ts';
import type { Policy } from '../policy/policy.ts';

/** What decides by this configuration: its policy file, or else the lists of its targets. Throws POLICY_INVALID. */
export async function policyFor(config: Config): Promise<Policy> {
  const policies = await loadPolicy(config);
  return policies === undefined ? allowListPolicy(config.targets.values()) : policyOfFile(policies, config);
}

/** The same for policies that were read already. */
export function policyOfFile(policies: CedarPolicies, config: Pick<Config, 'principals' | 'targets' | 'approvals'>): Promise<Policy> {
  return cedarPolicy(policies, {
    humans: config.principals,
    targets: [...config.targets.values()].map(({ name, kind, tags }) => ({ name, kind, tags })),
    breakGlass: new Set([...config.approvals.values()].filter(({ breakGlass }) => breakGlass).map(({ name }) => name)),
  });
}

/** Records what decides from here on, unless that was recorded last. In parts that a record has room for. */
export async function recordPolicy(
  policy: Policy,
  previous: string | undefined,
  { records, gatewayName }: { readonly records: Records; readonly gatewayName: string },
): Promise<void> {
  if (policy.policySet === previous) return;
  const texts = splitText(policy.text);
  await Promise.all(
    texts.map((text, index) =>
      records.append({
        type: 'policy.changed',
        outcome: 'success',
        actor: records.gateway,
        target: { name: gatewayName, kind: 'gateway' },
        body: {
          policySet: policy.policySet,
          ...(previous === undefined ? {} : { previous }),
          source: policy.source,
          text,
          part: index + 1,
          parts: texts.length,
        },
      }),
    ),
  );
}

/** Bytes of UTF-8, also after JSON has escaped what it must: a part that does not fit would be shortened. */
const PART = 32 * 1024;

export function splitText(text: string): string[] {
  const parts: string[] = [];
  let begin = 0;
  let bytes = 0;
  let at = 0;
  for (const character of text) {
    const size = Math.max(Buffer.byteLength(character), Buffer.byteLength(JSON.stringify(character)) - 2);
    if (bytes + size > PART) {
      parts.push(text.slice(begin, at));
      [begin, bytes] = [at, 0];
    }
    bytes += size;
    at += character.length;
  }
  return [...parts, text.slice(begin)];
}
