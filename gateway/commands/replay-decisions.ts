import { type Action, type ActionRequest, actions, type Verdict } from '../../contract/policy.ts';
import type { AuditRecord } from '../../contract/record.ts';
import type { Config } from '../config/types.ts';
import type { Policy } from '../policy/policy.ts';
import { type AuditedRecord, Faults, RecordCheck } from '../query/audit/audited-record.ts';
import { isInPeriod, type Period } from '../query/audit/question.ts';
import { rangeOfPeriod, readRange } from '../query/audit/read-period.ts';
import type { Database } from '../store/database.ts';

/** A decision of the past that would be another one. */
export interface ReplayedDecision {
  readonly time: string;
  readonly session: string | null;
  readonly principal: string;
  readonly target: string;
  readonly action: Action;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly was: Verdict;
  readonly becomes: Verdict;
  readonly policies: readonly string[];
  readonly rule?: string;
  readonly reason: string;
}

export interface ReplaySummary {
  /** All that were decided again. */
  readonly decisions: number;
  readonly changed: number;
  /** `allow → deny` and the like, with how many there are. */
  readonly changes: Readonly<Record<string, number>>;
  readonly undecidable: number;
  readonly unknownPrincipals: readonly string[];
  readonly unknownTargets: readonly string[];
  readonly policySet: string;
  /** What is wrong with the records themselves. */
  readonly faults: readonly string[];
}

interface PastDecision {
  readonly action: Action;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly verdict: Verdict;
}

/** Names of a list that help somebody. */
const MOST_NAMED = 50;

/** Decides everything of a period again, and gives what would change; ends with the counts. Memory does not grow with the period. */
export async function* replayDecisions(
  database: Database,
  period: Period,
  policy: Policy,
  config: Pick<Config, 'principals' | 'targets'>,
): AsyncGenerator<ReplayedDecision, ReplaySummary> {
  const faults = new Faults();
  const check = new RecordCheck(undefined, faults);
  const range = await rangeOfPeriod(database, period, await database.period.newest(), check);
  const begun = new SessionBeginnings(database, check);
  const changes: Record<string, number> = {};
  const unknownPrincipals = new Set<string>();
  const unknownTargets = new Set<string>();
  let [decisions, changed, undecidable] = [0, 0, 0];
  for await (const seen of readRange(database, range, check)) {
    if (!isInPeriod(seen.time, period)) continue;
    const { record } = seen;
    if (record === undefined) {
      if (decided.has(seen.type)) undecidable += 1;
      continue;
    }
    const past = pastDecision(record);
    if (past === undefined) continue;
    if (isShortened(past.facts)) {
      undecidable += 1;
      continue;
    }
    if (!config.principals.has(record.actor.principal) && unknownPrincipals.size < MOST_NAMED)
      unknownPrincipals.add(record.actor.principal);
    if (!config.targets.has(record.target.name) && unknownTargets.size < MOST_NAMED) unknownTargets.add(record.target.name);
    decisions += 1;
    const { verdict, policies, rule, reason } = policy.decide(requestOf(record, past, await begun.of(seen), config));
    if (verdict === past.verdict) continue;
    changed += 1;
    const change = `${past.verdict} → ${verdict}`;
    changes[change] = (changes[change] ?? 0) + 1;
    const { action, facts } = past;
    yield {
      time: record.time,
      session: seen.session,
      principal: record.actor.principal,
      target: record.target.name,
      action,
      facts,
      was: past.verdict,
      becomes: verdict,
      policies,
      ...(rule === undefined ? {} : { rule }),
      reason,
    };
  }
  return {
    decisions,
    changed,
    changes,
    undecidable,
    unknownPrincipals: [...unknownPrincipals],
    unknownTargets: [...unknownTargets],
    policySet: policy.policySet,
    faults: faults.named,
  };
}

const decided: ReadonlySet<string> = new Set(['session.open', 'session.refused', 'action.decided']);

/** What policy said then. Refusals for other reasons, and what an operator held who stepped through a session, are not its doing. */
function pastDecision(record: AuditRecord): PastDecision | undefined {
  switch (record.type) {
    case 'session.open':
      return { action: 'connect', facts: {}, verdict: policyVerdict(record.body.decision) };
    case 'session.refused':
      if (record.body.code === 'ACCESS_DENIED') return { action: 'connect', facts: {}, verdict: 'deny' };
      return record.body.code.startsWith('APPROVAL_') ? { action: 'connect', facts: {}, verdict: 'ask' } : undefined;
    case 'action.decided': {
      const action = actions.find((known) => known === record.body.action);
      if (action === undefined || action === 'ssh:input') return undefined;
      return { action, facts: record.body.facts, verdict: policyVerdict(record.body.decision) };
    }
    default:
      return undefined;
  }
}

/** An operator who steps through a session asks about what policy allows by itself. */
function policyVerdict({ verdict, rule }: { verdict: Verdict; rule?: string | undefined }): Verdict {
  return verdict === 'ask' && rule === 'step' ? 'allow' : verdict;
}

function requestOf(
  { actor, target, time }: AuditRecord,
  { action, facts }: PastDecision,
  opened: number,
  config: Pick<Config, 'principals' | 'targets'>,
): ActionRequest {
  const principal = config.principals.get(actor.principal);
  const now = micros(time);
  const onBehalfOf = actor.onBehalfOf ?? principal?.onBehalfOf;
  return {
    principal: {
      name: actor.principal,
      kind: actor.kind === 'human' ? 'human' : 'agent',
      groups: principal?.groups ?? [],
      ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
    },
    target: { name: target.name, kind: target.kind, tags: config.targets.get(target.name)?.tags ?? {} },
    action,
    facts,
    circumstances: {
      time: now,
      source: actor.source,
      authentication: actor.authentication?.method ?? 'none',
      sessionAge: action === 'connect' ? 0 : Math.max(0, Math.floor((now - opened) / 1e6)),
    },
  };
}

/** When sessions began: most of them in the period, the others are looked up. */
class SessionBeginnings {
  readonly #database: Database;
  readonly #check: RecordCheck;
  readonly #begun = new Map<string, number>();

  constructor(database: Database, check: RecordCheck) {
    this.#database = database;
    this.#check = check;
  }

  async of({ session, record, time }: AuditedRecord): Promise<number> {
    const now = micros(time);
    if (session === null) return now;
    const known = this.#begun.get(session);
    if (known !== undefined) return known;
    const begun = record?.type === 'session.open' ? now : await this.#lookUp(session, now);
    if (this.#begun.size >= 10_000) this.#begun.clear();
    this.#begun.set(session, begun);
    return begun;
  }

  async #lookUp(session: string, otherwise: number): Promise<number> {
    const [first] = await this.#database.records.ofSession(session, 0, 1);
    return first === undefined ? otherwise : micros((await this.#check.read(first)).time);
  }
}

function micros(time: string): number {
  return Date.parse(`${time.slice(0, 23)}Z`) * 1000 + Number(time.slice(23, 26));
}

/** Whether a record keeps only a part of what was decided about (ledger/shorten-record.ts). */
function isShortened(facts: Readonly<Record<string, unknown>>): boolean {
  return 'shortened' in facts || /\[shortened: \d+ (?:characters|elements), sha256 /.test(JSON.stringify(facts));
}

/** The one member of the facts that says most. */
export function factsInWords(facts: Readonly<Record<string, unknown>>): string {
  const [value] = [facts.command, facts.path, facts.to, facts.listen, facts.name].filter((one) => typeof one === 'string');
  if (value === undefined) return '';
  return value.length > 200 ? `${value.slice(0, 200)}…` : value;
}
