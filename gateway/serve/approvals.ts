import type { ApprovalRule } from '../approval/approval-rule.ts';
import { Approvals } from '../approval/approvals.ts';
import type { Reviewer } from '../approval/may-decide.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Evidence } from '../evidence.ts';
import type { Principal } from '../identity/principal.ts';
import { fingerprintOf } from '../identity/ssh-public-key.ts';
import { verifySshSignature } from '../ledger/ssh-signature.ts';
import { readApproval } from '../query/read-approval.ts';
import { STEP_RULE } from '../session/supervised.ts';

/** What applies to the actions of a session that an operator steps through, unless the configuration has a rule of that name. */
const stepRule: ApprovalRule = {
  name: STEP_RULE,
  reviewers: { groups: [], names: [] },
  needed: 1,
  withinSeconds: 600,
  reasonRequired: false,
  grants: 'once',
  breakGlass: false,
};

export interface ApprovalSurroundings extends Pick<Evidence, 'database' | 'records' | 'ledger'> {
  readonly clock: Clock;
  readonly log: Log;
  readonly principals: () => ReadonlyMap<string, Principal>;
  readonly rules: () => ReadonlyMap<string, ApprovalRule>;
  readonly isLocked: (principal: string) => boolean;
  /** That a human registered themselves, beside those of the configuration. */
  readonly registeredKeys: (human: string) => readonly { readonly line: string }[];
  /** Who is logged in through an identity provider: of whom it alone may know, or of whom it knows more. */
  readonly provided: (name?: string) => readonly ProvidedReviewer[];
}

interface ProvidedReviewer {
  readonly name: string;
  readonly groups: readonly string[];
  readonly roles: readonly string[];
  readonly keys: readonly { readonly line: string }[];
}

/**
 * Approvals as the configuration in force has them. What waited when the gateway ended has lost its session, and is closed
 * here before anything new begins; break-glass that nobody has reviewed stays open.
 */
export async function openApprovals(surroundings: ApprovalSurroundings): Promise<Approvals> {
  const { database, records, ledger, clock, log, principals, rules } = surroundings;
  const approvals = new Approvals({
    clock,
    log,
    origin: ledger.key.name,
    append: (draft) => records.append(draft),
    sign: () => ledger.signed(),
    verify: (signature, text, namespace) => {
      const { blob, line } = verifySshSignature(signature, Buffer.from(text, 'utf8'), namespace);
      return { line, fingerprint: fingerprintOf(blob) };
    },
    reviewers: () => reviewersOf(principals().values(), surroundings.provided(), surroundings).values(),
    reviewer: (name) => reviewersOf([principals().get(name)], surroundings.provided(name), surroundings).get(name),
    rule: (name) => {
      const configured = rules().get(name);
      if (name !== STEP_RULE) return configured;
      // A rule by which nobody is asked would undo stepping.
      return configured === undefined || configured.breakGlass ? stepRule : configured;
    },
  });
  for (const row of await database.approvals.open()) {
    const kept = await readApproval(database, row);
    if (kept === undefined) continue;
    const { request, decisions, asked } = kept;
    if (row.state === 'review') {
      approvals.restore(request, decisions);
      continue;
    }
    await records.append({
      type: 'approval.expired',
      outcome: 'denied',
      actor: asked.actor,
      target: asked.target,
      session: request.session,
      body: { approval: request.id, digest: request.digest, reason: 'gateway-restarted' },
    });
    log.warn({ approval: request.id, principal: request.principal }, 'a request for approval ended with the gateway that it waited in');
  }
  return approvals;
}

function reviewersOf(
  principals: Iterable<Principal | undefined>,
  provided: readonly ProvidedReviewer[],
  { isLocked, registeredKeys }: Pick<ApprovalSurroundings, 'isLocked' | 'registeredKeys'>,
): Map<string, Reviewer> {
  const found = new Map<string, Reviewer>();
  for (const principal of principals) {
    if (principal?.kind !== 'human' || !principal.operator.includes('reviewer')) continue;
    const { name, groups, disabled, sshKeys } = principal;
    const configured = sshKeys.map(({ algorithm, blob }) => `${algorithm} ${blob.toString('base64')}`);
    const registered = registeredKeys(name).map(({ line }) => line);
    found.set(name, { name, groups, active: !disabled && !isLocked(name), keys: [...configured, ...registered] });
  }
  for (const { name, groups, roles, keys } of provided) {
    if (!roles.includes('reviewer')) continue;
    // Whoever is in force by a log-in is neither disabled nor locked.
    const known = found.get(name) ?? { name, groups: [], active: true, keys: keys.map(({ line }) => line) };
    found.set(name, { ...known, groups: [...new Set([...known.groups, ...groups])] });
  }
  return found;
}
