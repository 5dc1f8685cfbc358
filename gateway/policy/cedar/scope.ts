import type {
  ActionConstraint,
  EntityUidJson,
  PolicyJson,
  PrincipalConstraint,
  ResourceConstraint,
  TypeAndId,
} from '@cedar-policy/cedar-wasm/nodejs';
import type { ActionRequest } from '../../../contract/policy.ts';

/** Whom, what and which action the head of a policy speaks of. */
export interface Scope {
  readonly principal: PrincipalConstraint;
  readonly action: ActionConstraint;
  readonly resource: ResourceConstraint;
}

/** One who asks, or what is asked for, with everything that it is in. */
export interface Placed {
  readonly type: string;
  /** Itself and its groups or environment, as `Type::id`. */
  readonly within: ReadonlySet<string>;
}

export function scopeOf({ principal, action, resource }: PolicyJson): Scope {
  return { principal, action, resource };
}

export function placeName(type: string, id: string): string {
  return `${type}::${id}`;
}

/*
 * Whether a policy may speak of a request at all. Says no only where the head of the policy rules it out, so that what
 * is left away cannot have decided anything.
 */

export function mayApplyTo(scope: Scope, principal: Placed, resource: Placed): boolean {
  return admits(scope.principal, principal) && admits(scope.resource, resource);
}

function admits(constraint: PrincipalConstraint | ResourceConstraint, { type, within }: Placed): boolean {
  if (constraint.op === 'All') return true;
  if (constraint.op === 'is') {
    if (constraint.entity_type !== type) return false;
    return constraint.in === undefined || !('entity' in constraint.in) || within.has(nameOf(constraint.in.entity));
  }
  return !('entity' in constraint) || within.has(nameOf(constraint.entity));
}

export function mayApplyToAction({ action: constraint }: Scope, action: ActionRequest['action']): boolean {
  if (constraint.op === 'All') return true;
  if (constraint.op === '==') return !('entity' in constraint) || isAction(constraint.entity, action);
  const entities = 'entities' in constraint ? constraint.entities : [constraint.entity];
  return entities.some((entity) => isAction(entity, action) || (isAction(entity, 'ssh') && action.startsWith('ssh:')));
}

function isAction(entity: EntityUidJson, action: string): boolean {
  return uidOf(entity).id === action;
}

function nameOf(entity: EntityUidJson): string {
  const { type, id } = uidOf(entity);
  return placeName(type, id);
}

function uidOf(entity: EntityUidJson): TypeAndId {
  return '__entity' in entity ? entity.__entity : entity;
}
