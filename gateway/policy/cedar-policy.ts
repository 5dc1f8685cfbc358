import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AuthorizationAnswer, Context } from '@cedar-policy/cedar-wasm/nodejs';
import {
  type Action,
  type ActionRequest,
  actions,
  type Circumstances,
  type Decision,
  type PrincipalFacts,
  type TargetFacts,
} from '../../contract/policy.ts';
import { contextOf } from './cedar/context.ts';
import { actionEntity, Entities, type Entity, type GroupsOfHumans } from './cedar/entities.ts';
import { type CedarLibrary, loadCedar } from './cedar/library.ts';
import { PreparedSets } from './cedar/prepared-sets.ts';
import type { CedarPolicies, CedarPolicy } from './cedar/read-policies.ts';
import { mayApplyTo, mayApplyToAction } from './cedar/scope.ts';
import { type Evaluated, verdictOf } from './cedar/verdict.ts';
import type { Policy } from './policy.ts';

/** What a policy file is decided with beside itself. */
export interface Surroundings {
  /** Everybody who is known, so that the human behind an agent has groups. */
  readonly humans: GroupsOfHumans;
  readonly targets: Iterable<TargetFacts>;
  /** Names of the approval rules that allow at once. */
  readonly breakGlass: ReadonlySet<string>;
}

/** Makes a policy of a file that was read and checked. */
export async function cedarPolicy(policies: CedarPolicies, surroundings: Surroundings): Promise<Policy> {
  return new FilePolicy(await loadCedar(), policies, surroundings);
}

/** Cedar's time grows with the size of a set, and so does the time to parse one that is not held ready. */
const MAX_SET = 128;
/** As few policies as these are asked all at once: a set that everybody shares is worth more than a small one. */
const FEW = 40;
/** Milliseconds for which one turn of the event loop decides about many targets. */
const TURN = 3;

let sets: PreparedSets | undefined;

class FilePolicy implements Policy {
  readonly source = 'cedar';
  readonly text: string;
  readonly policySet: string;
  readonly #cedar: CedarLibrary;
  /** One store for all files, as a session keeps the file it began with: what is no longer asked for makes room. */
  readonly #sets: PreparedSets;
  readonly #policies: readonly CedarPolicy[];
  /** Places of the policies that may speak of an action. */
  readonly #ofAction: ReadonlyMap<Action, readonly number[]>;
  readonly #entities: Entities;
  readonly #targets: readonly TargetFacts[];
  readonly #breakGlass: ReadonlySet<string>;

  constructor(cedar: CedarLibrary, { text, policySet, policies }: CedarPolicies, { humans, targets, breakGlass }: Surroundings) {
    sets ??= new PreparedSets(cedar);
    this.#sets = sets;
    this.#cedar = cedar;
    this.text = text;
    this.policySet = policySet;
    this.#policies = policies;
    const places = [...policies.keys()];
    this.#ofAction = new Map(
      actions.map((action) => [action, places.filter((place) => mayApplyToAction((policies[place] as CedarPolicy).scope, action))]),
    );
    this.#entities = new Entities(humans);
    this.#targets = [...targets].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    this.#breakGlass = breakGlass;
  }

  decide(request: ActionRequest): Decision {
    const { policySet } = this;
    const read = contextOf(request);
    if (read.problem !== undefined) return { verdict: 'deny', policies: [], policySet, reason: read.problem };
    const { context, understood } = read;
    const told = understood === undefined ? {} : { understood };
    try {
      const asked = { action: request.action, target: request.target.name };
      return { ...verdictOf(this.#evaluate(request, context), asked, this.#breakGlass), policySet, ...told };
    } catch (thrown) {
      // Cedar itself failed. Whoever asks is told and so is the record; nothing is allowed that was not decided.
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      return { verdict: 'deny', policies: [], policySet, reason: `the policy could not be evaluated: ${why}`, ...told };
    }
  }

  async visibleTargets(principal: PrincipalFacts, circumstances: Circumstances): Promise<readonly TargetFacts[]> {
    const visible: TargetFacts[] = [];
    let began = performance.now();
    for (const target of this.#targets) {
      if (performance.now() - began > TURN) {
        await nextTurn();
        began = performance.now();
      }
      const { verdict } = this.decide({ principal, target, action: 'connect', facts: {}, circumstances });
      if (verdict !== 'deny') visible.push(target);
    }
    return visible;
  }

  /** Asks Cedar about the policies that may speak of it, so many at a time: each of them decides for itself. */
  #evaluate({ principal, target, action }: ActionRequest, context: Context): Evaluated {
    const who = this.#entities.ofPrincipal(principal);
    const what = this.#entities.ofTarget(target);
    const ofAction = this.#ofAction.get(action) ?? [];
    const may =
      ofAction.length <= FEW ? ofAction : ofAction.filter((place) => mayApplyTo((this.#policies[place] as CedarPolicy).scope, who, what));
    const forbids: CedarPolicy[] = [];
    const permits: CedarPolicy[] = [];
    const failed: { policy: CedarPolicy; error: string }[] = [];
    for (let at = 0; at < may.length; at += MAX_SET) {
      const members = may.slice(at, at + MAX_SET);
      const { fit, errors } = this.#ask(who, action, what, context, members);
      for (const policy of this.#inOrder(fit)) (policy.effect === 'forbid' ? forbids : permits).push(policy);
      for (const { policyId, error } of errors)
        failed.push({ policy: this.#policies[Number(policyId)] as CedarPolicy, error: error.message });
    }
    return { forbids, permits, failed };
  }

  #ask(who: Entity, action: ActionRequest['action'], what: Entity, context: Context, members: readonly number[]): Answer {
    const { name, needs } = this.#sets.of(this.policySet, members, this.#policies);
    const entities = [who.json, what.json];
    if (needs.human && who.human !== undefined) entities.push(who.human);
    if (needs.action) entities.push(actionEntity(action));
    // What is asked is made by us and tested against the schema; having it checked again at each request costs a third more.
    const answer: AuthorizationAnswer = this.#cedar.statefulIsAuthorized({
      principal: who.uid,
      action: { type: 'Action', id: action },
      resource: what.uid,
      context: needs.wholeContext ? context : Object.fromEntries(Object.entries(context).filter(([member]) => needs.context.has(member))),
      preparsedPolicySetId: name,
      entities,
    });
    if (answer.type === 'failure') throw new Error(`Cedar cannot decide: ${answer.errors[0]?.message}`);
    const { reason, errors } = answer.response.diagnostics;
    return { fit: reason, errors };
  }

  #inOrder(ids: readonly string[]): CedarPolicy[] {
    const places = ids.map(Number).toSorted((a, b) => a - b);
    return places.map((place) => this.#policies[place] as CedarPolicy);
  }
}

interface Answer {
  readonly fit: readonly string[];
  readonly errors: readonly { readonly policyId: string; readonly error: { readonly message: string } }[];
}
