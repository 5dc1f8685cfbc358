import { APPROVAL_NAMESPACE, type ApprovalRequest, boundText, decisionText } from '../../../contract/approval.ts';
import { approvalRequestSchema } from '../../../contract/record.ts';
import { statementText } from '../../../contract/signed-statements.ts';
import { toHex } from '../encodings.ts';
import { type ReadRecord, textOr } from '../record-facts.ts';
import { verifySshSignature } from '../ssh-signature.ts';
import { addFinding, faultCount, makeProgress, number, type Step } from '../step.ts';

/** Records that say what was asked and who signed what about it. */
export const APPROVAL_TYPES: ReadonlySet<string> = new Set([
  'approval.asked',
  'approval.decided',
  'review.signed',
  'grant.used',
  'session.reviewed',
]);

export interface ApprovalFacts {
  readonly origin: string;
  /** Whether the bundle has all records of a session: it has the session, and nothing of it was erased. */
  readonly complete: (session: string) => boolean;
}

interface Followed {
  index: number;
  request: ApprovalRequest;
  state: string;
  uses: number;
  reviewers: Set<string>;
  approvals: number;
}

/**
 * Every decision of a reviewer in the records: made from the request and the decision, is this the text that the
 * reviewer's key signed? And every use of an approval: was there one, for this, and was it still good? `origin` is the
 * ledger's, which is part of what is signed. Gives the sentence of the result.
 */
export async function checkApprovals(
  records: readonly ReadRecord[],
  { origin, complete }: ApprovalFacts,
  step: Step,
  changed: () => void,
): Promise<string> {
  const check = new ApprovalCheck(origin, complete, step);
  for (const [at, record] of records.entries()) {
    await check.take(record);
    makeProgress(step, (at + 1) / records.length, changed);
  }
  if (step.findings.length > 0) return `${faultCount(step)}; ${number(check.good)} of ${number(check.signatures)} signatures are good`;
  if (check.unknown > 0) {
    step.state = 'limited';
    return `${number(check.good)} of ${number(check.signatures)} signatures are good. This browser cannot check the other ${number(check.unknown)}: run data/verify.sh.`;
  }
  if (check.signatures === 0) return 'Nobody had to approve anything here';
  return `${number(check.signatures)} ${check.signatures === 1 ? 'signature' : 'signatures'} of ${[...check.reviewers].slice(0, 4).join(', ')}${check.reviewers.size > 4 ? ' and others' : ''}`;
}

class ApprovalCheck {
  signatures = 0;
  good = 0;
  unknown = 0;
  readonly reviewers = new Set<string>();
  readonly #origin: string;
  readonly #complete: (session: string) => boolean;
  readonly #step: Step;
  readonly #asked = new Map<string, Followed>();

  constructor(origin: string, complete: (session: string) => boolean, step: Step) {
    this.#origin = origin;
    this.#complete = complete;
    this.#step = step;
  }

  async take(record: ReadRecord): Promise<void> {
    if (record.type === 'approval.asked') await this.#ask(record);
    else if (record.type === 'approval.decided' || record.type === 'review.signed') await this.#decide(record);
    else if (record.type === 'grant.used') this.#use(record);
    else if (record.type === 'session.reviewed') await this.#review(record);
  }

  async #ask(record: ReadRecord): Promise<void> {
    const read = approvalRequestSchema.safeParse(record.body.request);
    if (!read.success) return this.#fault(record, 'A request for approval has not the form of one.');
    // Members that a record does not have are missing and not undefined, which is the same in canonical form.
    const request = read.data as ApprovalRequest;
    if ((await sha256Hex(boundText(request))) !== request.digest)
      this.#fault(record, 'The digest of the request is not that of what it asks for.');
    this.#asked.set(request.id, { index: record.index, request, state: 'waiting', uses: 0, reviewers: new Set(), approvals: 0 });
  }

  async #decide(record: ReadRecord): Promise<void> {
    const { body, actor } = record;
    const reviewer = textOr(actor.principal, '');
    const followed = this.#asked.get(textOr(body.approval, ''));
    if (followed === undefined) {
      this.#stray(record, record.session, `A decision of ${reviewer}`);
      return;
    }
    const { request } = followed;
    if (body.digest !== request.digest) this.#fault(record, `The decision of ${reviewer} is about another request than it names.`);
    if (reviewer === request.principal || reviewer === request.onBehalfOf)
      this.#fault(record, `${reviewer} decided on what they had asked for themselves, or what their own agent had.`);
    if (followed.reviewers.has(reviewer)) this.#fault(record, `${reviewer} decided on the same request a second time.`);
    followed.reviewers.add(reviewer);
    const verdict = body.verdict === 'approve' ? 'approve' : 'deny';
    const text = decisionText(this.#origin, request, { verdict, reviewer, reason: textOr(body.reason, '') });
    const holds = await this.#verify(record, reviewer, text, APPROVAL_NAMESPACE);
    if (holds && verdict === 'approve') followed.approvals += 1;
    if (record.type === 'review.signed') return;
    if (body.state === 'approved' && holds && followed.approvals < Math.max(1, request.needed))
      this.#fault(record, `The request counts as approved with ${followed.approvals} of the ${request.needed} approvals that it needs.`);
    followed.state = textOr(body.state, '');
  }

  #use(record: ReadRecord): void {
    const { body } = record;
    const followed = this.#asked.get(textOr(body.approval, ''));
    if (followed === undefined) {
      this.#stray(record, textOr(body.askedIn, ''), 'A use');
      return;
    }
    const { request } = followed;
    if (body.digest !== request.digest || body.action !== request.action)
      this.#fault(record, `An approval was used for something else than it was given for (record ${followed.index}).`);
    if (followed.state !== 'approved' && !request.breakGlass)
      this.#fault(record, `An approval was used that was not given (record ${followed.index}).`);
    if (request.grants === 'once' && followed.uses > 0)
      this.#fault(record, `An approval for one use was used again (record ${followed.index}).`);
    followed.uses += 1;
  }

  async #review(record: ReadRecord): Promise<void> {
    const { body, actor, session } = record;
    const reviewer = textOr(actor.principal, '');
    const { text, namespace } = statementText({
      kind: 'review',
      origin: this.#origin,
      review: {
        session: session ?? '',
        subject: textOr(body.subject, ''),
        verdict: body.verdict === 'fine' ? 'fine' : 'concern',
        reviewer,
        reason: textOr(body.reason, ''),
      },
    });
    await this.#verify(record, reviewer, text, namespace);
  }

  /** Whether it holds as far as this browser can tell. */
  async #verify(record: ReadRecord, reviewer: string, text: string, namespace: string): Promise<boolean> {
    const { body } = record;
    this.signatures += 1;
    const verdict = await verifySshSignature(textOr(body.signature, ''), text, namespace);
    if (verdict.state === 'unknown') {
      this.unknown += 1;
      return true;
    }
    if (verdict.state === 'wrong') {
      this.#fault(record, `The signature of ${reviewer} does not hold: ${verdict.words}.`);
      return false;
    }
    if (verdict.line !== textOr(body.key, '').trim().split(/\s+/, 2).join(' ')) {
      this.#fault(record, `The signature of ${reviewer} was made with another key than the record names.`);
      return false;
    }
    this.good += 1;
    this.reviewers.add(reviewer);
    return true;
  }

  /** Of a request in a session that was not asked for, this bundle has the hash only. */
  #stray(record: ReadRecord, session: string | undefined, what: string): void {
    if (session !== undefined && this.#complete(session)) this.#fault(record, `${what} is of an approval that no record asks for.`);
  }

  #fault({ index, session }: ReadRecord, words: string): void {
    addFinding(this.#step, { index, ...(session === undefined ? {} : { session }), words: `Record ${index}: ${words}` });
  }
}

async function sha256Hex(text: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))));
}
