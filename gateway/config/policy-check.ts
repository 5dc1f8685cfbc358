import { SallyportError } from '../base/errors.ts';
import { type CedarPolicies, type CedarPolicy, readPolicies } from '../policy/cedar/read-policies.ts';
import { type ConfigFault, describeFault, quoted } from './fault.ts';
import { didYouMean } from './findings.ts';
import type { Config } from './types.ts';

/** What the policy file says, with what is worth a look although it is no fault; or everything that is wrong with it. */
export type PolicyCheck =
  | { readonly policies: CedarPolicies; readonly notes: readonly string[] }
  | { readonly faults: readonly ConfigFault[]; readonly more: number };

type Checked = Pick<Config, 'policy' | 'approvals' | 'principals' | 'targets'>;

/** Checks the policy file of a configuration that is otherwise right. Undefined when it has none. */
export async function checkPolicy(config: Checked): Promise<PolicyCheck | undefined> {
  if (config.policy === undefined) return undefined;
  const { path: file, text } = config.policy;
  const reading = await readPolicies(text);
  if ('faults' in reading) return { faults: reading.faults.map((fault) => ({ file, ...fault })), more: reading.more };
  const { policies } = reading;
  const faults = policies.policies.flatMap((policy) => faultOfRule(policy, file, config));
  if (faults.length > 0) return { faults, more: 0 };
  const notes = [
    ...reading.notes.map((note) => describeFault({ file, ...note })),
    ...policies.policies.flatMap((policy) => notesOfNames(policy, file, config)),
    ...rulesWithoutPolicy(policies, config),
  ];
  return { policies, notes };
}

/** The same for those who need it right: throws POLICY_INVALID with a line for every fault. */
export async function loadPolicy(config: Checked): Promise<CedarPolicies | undefined> {
  const check = await checkPolicy(config);
  if (check === undefined || 'policies' in check) return check?.policies;
  const lines = check.faults.map(describeFault);
  if (check.more > 0) lines.push(`… and ${check.more} more`);
  throw new SallyportError('POLICY_INVALID', lines.join('\n'), {
    remedy: 'Mend every line above; `sallyport check-config FILE` shows them again.',
  });
}

function faultOfRule({ approval, line, column }: CedarPolicy, file: string, { approvals }: Checked): ConfigFault[] {
  if (approval === undefined || approvals.has(approval)) return [];
  const mend = didYouMean(approval, approvals.keys()) ?? 'Add the rule to `approvals` of the configuration, or remove @approval.';
  return [{ file, line, column, problem: `there is no approval rule ${quoted(approval)}`, mend }];
}

/** A name that nobody has is no fault, as policies may be older or newer than the configuration; a forbid for it is none either. */
function notesOfNames({ entities, line, column }: CedarPolicy, file: string, { principals, targets }: Checked): string[] {
  const known = {
    Human: (id: string) => principals.get(id)?.kind === 'human',
    Agent: (id: string) => principals.get(id)?.kind === 'agent',
    Group: (id: string) => [...principals.values()].some(({ groups }) => groups.includes(id)),
    Target: (id: string) => targets.has(id),
    Env: (id: string) => [...targets.values()].some(({ tags }) => tags.env === id),
  };
  return entities.flatMap(({ type, id }) => {
    const isKnown = Object.hasOwn(known, type) ? known[type as keyof typeof known] : undefined;
    if (isKnown === undefined || isKnown(id)) return [];
    return [`${file}:${line}:${column}: nothing in the configuration is ${type}::${quoted(id)}. Look whether the name is right.`];
  });
}

/** `step` is that of operators who step through sessions. */
function rulesWithoutPolicy({ policies }: CedarPolicies, { approvals }: Checked): string[] {
  const named = new Set(policies.map(({ approval }) => approval));
  return [...approvals.keys()]
    .filter((name) => name !== 'step' && !named.has(name))
    .map((name) => `approvals.${name}: no policy asks by this rule.`);
}
