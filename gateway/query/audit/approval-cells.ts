import { matches } from './actor-words.ts';
import type { FollowedApproval } from './followed-approvals.ts';
import type { Column, FilterName, Filters, Row } from './question.ts';

/** What answers about approvals have in common. */
export const approvalFilters: readonly FilterName[] = ['principal', 'onBehalfOf', 'target'];

export const whoAskedColumns: readonly Column[] = [
  { name: 'approval', says: 'id of the request', wide: true },
  { name: 'human', says: 'the human behind it' },
  { name: 'principal', says: 'who asked' },
  { name: 'kind', says: 'human or agent', wide: true },
  { name: 'target', says: 'at what' },
  { name: 'action', says: 'connect for the session itself, or what was to be done in it' },
  { name: 'what', says: 'its exact arguments, as JSON' },
  { name: 'rule', says: 'the rule by which an approval was needed', wide: true },
];

export function whoAskedCells({ id, request }: FollowedApproval): Row {
  if (request === undefined)
    return { approval: id, human: null, principal: null, kind: null, target: null, action: null, what: null, rule: null };
  const { principal, kind, onBehalfOf, target, action, facts, rule } = request;
  const human = kind === 'agent' ? (onBehalfOf ?? null) : principal;
  return { approval: id, human, principal, kind, target: target.name, action, what: JSON.stringify(facts), rule };
}

export function isAskedAbout({ asked }: FollowedApproval, filters: Filters): boolean {
  return matches({ actor: asked?.actor, target: asked?.target, protocol: undefined }, filters) !== 'no';
}

/** `once`, `session`, or the seconds. */
export function grantWords(grants: 'once' | 'session' | number): string {
  if (grants === 'once') return 'one use';
  return grants === 'session' ? 'the session' : `${grants} s`;
}

export const NEW_APPROVALS =
  'The keys are named by their fingerprints; that a key is the reviewer’s own, no record says: compare them with the reviewers’ own';
