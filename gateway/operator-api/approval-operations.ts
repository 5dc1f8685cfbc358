import type { ApprovalRequest, ApprovalState } from '../../contract/approval.ts';
import type { Approval, OperationInput, OperationOutput } from '../../contract/operator-api.ts';
import type { Actor } from '../../contract/record.ts';
import type { Approvals } from '../approval/approvals.ts';
import type { SignedDecision } from '../approval/open-request.ts';
import { SallyportError } from '../base/errors.ts';
import { readApproval } from '../query/read-approval.ts';
import type { ApprovalRow } from '../store/approvals-table.ts';
import type { Database } from '../store/database.ts';
import type { LoggedIn } from './authorise.ts';
import type { Performers } from './operations.ts';

/** Requests for approval as operators see them: those that are open by what waits for them, the others by their records. */
export interface ApprovalOfficeParts {
  readonly approvals: Approvals;
  /** A connection of its own: what somebody looks up does not keep records waiting. */
  readonly reading: () => Promise<Database>;
  /** Of the ledger; part of what reviewers sign. */
  readonly origin: string;
}

export function approvalOperations(parts: ApprovalOfficeParts): Pick<Performers, 'approval.list' | 'approval.show' | 'approval.decide'> {
  return {
    'approval.list': (input, { operator }) => (input.all ? listAll(input, operator, parts) : listOpen(input, operator, parts)),
    'approval.show': (input, { operator }) => show(input, operator, parts),
    'approval.decide': (input, { operator, actor }) => decide(input, operator, actor, parts),
  };
}

/** What nobody has decided, the next to expire first. The cursor is the id of the last that was told. */
async function listOpen(
  { cursor, limit, session }: OperationInput<'approval.list'>,
  reader: LoggedIn | undefined,
  parts: ApprovalOfficeParts,
): Promise<OperationOutput<'approval.list'>> {
  // By their records, so that nothing is told of that is not durable yet.
  const rows = await (await parts.reading()).approvals.open();
  const open = rows
    .filter((row) => session === undefined || row.session === session)
    .map(({ id }) => parts.approvals.find(id))
    .filter((each) => each !== undefined)
    .toSorted((a, b) => (orderOf(a.request) < orderOf(b.request) ? -1 : 1));
  const last = cursor === undefined ? undefined : parts.approvals.find(cursor);
  // When the last one is over by now, whatever is left is told from its beginning.
  const left = last === undefined ? open : open.filter(({ request }) => orderOf(request) > orderOf(last.request));
  const page = left.slice(0, limit);
  return { approvals: page.map((each) => viewOf(each, reader, parts)), ...cursorOf(page.at(-1)?.request.id, left.length > limit) };
}

/** Everything that was ever asked, the newest first. */
async function listAll(
  { cursor, limit, session }: OperationInput<'approval.list'>,
  reader: LoggedIn | undefined,
  parts: ApprovalOfficeParts,
): Promise<OperationOutput<'approval.list'>> {
  const before = cursor === undefined ? undefined : (await rowOf(cursor, parts)).seq;
  const rows = await (await parts.reading()).approvals.list({ session, before, limit: limit + 1 });
  const page = rows.slice(0, limit);
  const views: Approval[] = [];
  for (const row of page) {
    const view = await viewOfRow(row, reader, parts);
    if (view !== undefined) views.push(view); // Else its records are erased.
  }
  return { approvals: views, ...cursorOf(page.at(-1)?.id, rows.length > limit) };
}

async function show(
  { approval }: OperationInput<'approval.show'>,
  reader: LoggedIn | undefined,
  parts: ApprovalOfficeParts,
): Promise<Approval> {
  const view = await viewOfRow(await rowOf(approval, parts), reader, parts);
  if (view === undefined) throw notFound(approval);
  return view;
}

async function decide(
  input: OperationInput<'approval.decide'>,
  reviewer: LoggedIn | undefined,
  by: Actor,
  parts: ApprovalOfficeParts,
): Promise<Approval> {
  // What is over is told apart from what never was.
  if (parts.approvals.find(input.approval) === undefined) {
    const { state } = await rowOf(input.approval, parts);
    throw new SallyportError('APPROVAL_OVER', `this request is ${state} already`, { remedy: 'sallyport approvals shows what waits' });
  }
  return viewOf(await parts.approvals.decide(input, by), reviewer, parts);
}

async function rowOf(approval: string, { reading }: ApprovalOfficeParts): Promise<ApprovalRow> {
  const row = await (await reading()).approvals.find(approval);
  if (row === undefined) throw notFound(approval);
  return row;
}

async function viewOfRow(row: ApprovalRow, reader: LoggedIn | undefined, parts: ApprovalOfficeParts): Promise<Approval | undefined> {
  const open = parts.approvals.find(row.id);
  const known = open ?? (await readApproval(await parts.reading(), row));
  return known === undefined ? undefined : viewOf(known, reader, parts);
}

interface Known {
  readonly request: ApprovalRequest;
  readonly state: ApprovalState;
  readonly decisions: readonly SignedDecision[];
}

function viewOf({ request, state, decisions }: Known, reader: LoggedIn | undefined, parts: ApprovalOfficeParts): Approval {
  const why = whyNot(request.id, reader, parts);
  return {
    request: { ...request, facts: { ...request.facts }, policies: [...request.policies] },
    state,
    origin: parts.origin,
    decisions: decisions.map((decision) => ({ ...decision })),
    yours: { may: why === undefined, ...(why === undefined ? {} : { why }) },
  };
}

function whyNot(id: string, reader: LoggedIn | undefined, { approvals }: ApprovalOfficeParts): string | undefined {
  if (reader === undefined) return 'nobody decides on the control socket: a reviewer logs in';
  if (!reader.roles.includes('reviewer')) return `${reader.name} does not ask as a reviewer`;
  const open = approvals.find(id);
  return open === undefined ? 'it is over' : approvals.whyNot(open, reader.name);
}

/** Times of records sort as text, and ids make each of them one of its own. */
function orderOf({ expires, id }: ApprovalRequest): string {
  return `${expires} ${id}`;
}

function cursorOf(last: string | undefined, more: boolean): { cursor?: string } {
  return last !== undefined && more ? { cursor: last } : {};
}

function notFound(approval: string): SallyportError {
  return new SallyportError('APPROVAL_NOT_FOUND', `there is no request ${approval.slice(0, 64)}`, {
    remedy: 'sallyport approvals lists them',
  });
}
