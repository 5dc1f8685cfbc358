import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

/** One entry of a target's `allow`: the name of a principal, or a group whose members are meant. */
export type AllowEntry = string | { readonly group: string };

/** What is said about one target, as the configuration gives it. */
export interface TargetRules {
  readonly name: string;
  readonly kind: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly allow: readonly AllowEntry[];
  readonly forwarding: readonly ('local' | 'remote' | 'agent')[];
}

/** The rules that decide from now on, and the hash by which a record names them. */
export interface PolicyInForce {
  readonly targets: ReadonlyMap<string, TargetRules>;
  /** SHA-256 of the canonical JSON of the rules, in hexadecimal. */
  readonly policySet: string;
}

/** What `policyOf` reads of a target; kinds without forwarding have no such member. */
export interface RuledTarget extends Omit<TargetRules, 'forwarding'> {
  readonly forwarding?: TargetRules['forwarding'];
}

/** Makes the policy of the targets' own `allow` and `forwarding` lists. */
export function policyOf(targets: Iterable<RuledTarget>): PolicyInForce {
  const rules = new Map<string, TargetRules>();
  for (const { name, kind, tags, allow, forwarding = [] } of targets) {
    rules.set(name, Object.freeze({ name, kind, tags, allow, forwarding }));
  }
  return Object.freeze({ targets: rules, policySet: createHash('sha256').update(canonicalRules(rules)).digest('hex') });
}

/** Canonical JSON. The order of targets, of entries and of flags says nothing, so it does not change the text. */
export function canonicalRules(rules: ReadonlyMap<string, TargetRules>): string {
  const canonical = Object.fromEntries(
    [...rules].map(([name, rule]) => {
      const allow = rule.allow.map((entry) => (typeof entry === 'string' ? `principal:${entry}` : `group:${entry.group}`));
      return [name, { allow: [...new Set(allow)].toSorted(), forwarding: [...new Set(rule.forwarding)].toSorted() }];
    }),
  );
  const text = canonicalize(canonical);
  if (text === undefined) throw new TypeError('the rules have no canonical JSON');
  return text;
}
