import type { EntityJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs';
import type { Action, PrincipalFacts, TargetFacts } from '../../../contract/policy.ts';
import { type Placed, placeName } from './scope.ts';

/** One who asks or what is asked for, in the form that Cedar takes, with everything that it is in. */
export interface Entity extends Placed {
  readonly uid: TypeAndId;
  readonly json: EntityJson;
  /** Of an agent: the human for whom it acts. */
  readonly human?: EntityJson;
}

/** The groups of the humans for whom agents act: what `principal.onBehalfOf in Group::"…"` asks for. */
export type GroupsOfHumans = ReadonlyMap<string, { readonly groups: readonly string[] }>;

/** The same person or target is asked about again and again, by the same object. */
export class Entities {
  readonly #humans: GroupsOfHumans;
  readonly #principals = new WeakMap<PrincipalFacts, Entity>();
  readonly #targets = new WeakMap<TargetFacts['tags'], Map<string, Entity>>();

  constructor(humans: GroupsOfHumans) {
    this.#humans = humans;
  }

  ofPrincipal(principal: PrincipalFacts): Entity {
    const known = this.#principals.get(principal);
    if (known !== undefined) return known;
    const made = principalEntity(principal, this.#humans);
    this.#principals.set(principal, made);
    return made;
  }

  /** A target's tags are one object for as long as a configuration is in force; the rest of it may be written anew. */
  ofTarget(target: TargetFacts): Entity {
    const key = `${target.kind} ${target.name}`;
    const same = this.#targets.get(target.tags);
    const known = same?.get(key);
    if (known !== undefined) return known;
    const made = targetEntity(target);
    if (same === undefined) this.#targets.set(target.tags, new Map([[key, made]]));
    else same.set(key, made);
    return made;
  }
}

function principalEntity({ name, kind, onBehalfOf, groups }: PrincipalFacts, humans: GroupsOfHumans): Entity {
  const uid = { type: kind === 'human' ? 'Human' : 'Agent', id: name };
  const parents = groups.map(groupUid);
  const within = new Set([uid, ...parents].map(({ type, id }) => placeName(type, id)));
  if (kind === 'human') return { uid, type: uid.type, within, json: { uid, attrs: { name }, parents } };
  // An agent that acts for nobody is not let in. Should one be asked about, it acts for somebody in no group.
  const human = { type: 'Human', id: onBehalfOf ?? '' };
  const ofHuman = humans.get(human.id)?.groups ?? [];
  return {
    uid,
    type: uid.type,
    within,
    json: { uid, attrs: { name, onBehalfOf: { __entity: human } }, parents },
    human: { uid: human, attrs: { name: human.id }, parents: ofHuman.map(groupUid) },
  };
}

function targetEntity({ name, kind, tags }: TargetFacts): Entity {
  const uid = { type: 'Target', id: name };
  const parents = tags.env === undefined ? [] : [{ type: 'Env', id: tags.env }];
  const within = new Set([uid, ...parents].map((one) => placeName(one.type, one.id)));
  return { uid, type: uid.type, within, json: { uid, attrs: { name, kind }, parents, tags: { ...tags } } };
}

function groupUid(id: string): TypeAndId {
  return { type: 'Group', id };
}

const ssh = { type: 'Action', id: 'ssh' };

/** Actions of one protocol are in its group, so that a policy may speak of all of them. */
export function actionEntity(action: Action): EntityJson {
  return { uid: { type: 'Action', id: action }, attrs: {}, parents: action.startsWith('ssh:') ? [ssh] : [] };
}
