import { createHash } from 'node:crypto';
import { APPROVAL_NAMESPACE, type ApprovalRequest, type ApprovalVerdict, boundText, decisionText } from '../../contract/approval.ts';
import type { Approval } from '../../contract/operator-api.ts';
import { SallyportError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import { askOperator, meantGateway, type OperatorOptions } from './operator-client.ts';
import { jsonLine, print } from './output.ts';
import { findSigners, type SshSigner } from './ssh-signer.ts';
import { askYes } from './yes-or-no.ts';

export interface DecideOptions extends OperatorOptions {
  reason?: string;
  key?: string;
  yes?: boolean;
}

const PAGE = 100;
/** More than can wait at once. */
const MOST_LISTED = 2000;

export async function approvals(options: OperatorOptions & { all?: boolean; session?: string }): Promise<number> {
  let shown = 0;
  let cursor: string | undefined;
  do {
    const page = await askOperator(options, 'approval.list', {
      limit: PAGE,
      all: options.all === true,
      ...(cursor === undefined ? {} : { cursor }),
      ...(options.session === undefined ? {} : { session: options.session }),
    });
    for (const approval of page.approvals) {
      await print(options.json === true ? jsonLine(approval) : `${shown === 0 ? '' : '\n'}${approvalText(approval)}`);
      shown += 1;
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  if (shown === 0 && options.json !== true) await print(options.all === true ? 'Nothing was ever asked for.\n' : 'Nothing waits.\n');
  return 0;
}

/** What is signed is made here, of what is shown here. */
export async function decide(verdict: ApprovalVerdict, id: string, options: DecideOptions): Promise<number> {
  const approval = await approvalNamed(id, options);
  const request = requestShown(approval);
  const me = await askOperator(options, 'whoami', {});
  const reason = options.reason?.trim() ?? '';
  if (reason === '' && (verdict === 'deny' || request.reasonRequired))
    throw new SallyportError('USAGE', 'This takes a reason, which stands in the record', { remedy: 'add --reason TEXT' });
  if (!approval.yours.may)
    throw new SallyportError('APPROVAL_NOT_YOURS', `You may not decide this: ${approval.yours.why ?? 'it is not yours'}`, {
      remedy: 'somebody else has to',
    });
  if (options.json !== true) await print(approvalText(approval));
  if (options.yes !== true)
    await askYes(verdict === 'approve' ? 'Approve exactly this?' : 'Deny this?', 'add --yes to decide without being asked');
  const signer = await ownSigner(options, me.keys);
  const text = decisionText(approval.origin, request, { verdict, reviewer: me.operator, reason });
  const signed = await signer.sign(text, APPROVAL_NAMESPACE);
  const decided = await askOperator(options, 'approval.decide', {
    approval: request.id,
    digest: request.digest,
    verdict,
    reason,
    ...signed,
  });
  if (options.json === true) await print(jsonLine(decided));
  else
    await print(
      `${verdict === 'approve' ? 'Approved' : 'Denied'} as ${printable(me.operator)}. The request is ${stateInWords(decided)}.\n`,
    );
  return 0;
}

/** Throws GATEWAY_MISMATCH when the digest is of something else than what is shown. */
function requestShown({ request: { onBehalfOf, channel, justification, target, ...rest } }: Approval): ApprovalRequest {
  const request: ApprovalRequest = {
    ...rest,
    target: { name: target.name, kind: target.kind, ...(target.address === undefined ? {} : { address: target.address }) },
    ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
    ...(channel === undefined ? {} : { channel }),
    ...(justification === undefined ? {} : { justification }),
  };
  if (createHash('sha256').update(boundText(request)).digest('hex') === request.digest) return request;
  throw new SallyportError('GATEWAY_MISMATCH', 'the digest of this request is not of what the gateway shows of it', {
    remedy: 'nothing was signed; look into the gateway before anybody decides anything',
  });
}

/** The key that this operator logged in with, or any that counts as theirs. */
async function ownSigner(options: DecideOptions, keys: readonly string[]): Promise<SshSigner> {
  const { login } = await meantGateway(options);
  const key = options.key ?? login?.key;
  const signers = await findSigners(key === undefined ? {} : { key });
  const own = signers.find(({ line }) => keys.includes(line));
  if (own !== undefined) return own;
  throw new SallyportError(
    'USAGE',
    `None of your keys here counts as yours at the gateway: ${signers.map(({ where }) => where).join(', ')}`,
    {
      remedy: 'name one with --key FILE that the configuration lists under ssh-keys of this operator',
    },
  );
}

/** By its id, or the beginning of one where only one that waits begins so. */
async function approvalNamed(id: string, options: OperatorOptions): Promise<Approval> {
  const prefix = id.toLowerCase();
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(prefix)) return askOperator(options, 'approval.show', { approval: prefix });
  const found: Approval[] = [];
  let cursor: string | undefined;
  for (let seen = 0; seen < MOST_LISTED; seen += PAGE) {
    const page = await askOperator(options, 'approval.list', { limit: PAGE, all: false, ...(cursor === undefined ? {} : { cursor }) });
    found.push(...page.approvals.filter(({ request }) => request.id.startsWith(prefix)));
    cursor = page.cursor;
    if (cursor === undefined) break;
  }
  const [only] = found;
  if (only !== undefined && found.length === 1 && prefix !== '') return only;
  const what = found.length > 1 ? `Several requests that wait begin with ${prefix}` : `No request that waits begins with ${printable(id)}`;
  throw new SallyportError('APPROVAL_NOT_FOUND', what, { remedy: 'sallyport approvals lists them' });
}

/** Everything that the decision is about. Nothing in it can write to the terminal. */
function approvalText(approval: Approval): string {
  const { request, decisions, yours } = approval;
  const { target } = request;
  const lines = [
    `${request.id}  ${stateInWords(approval)}`,
    `  who      ${request.principal}, ${request.kind}${request.onBehalfOf === undefined ? '' : `, on behalf of ${request.onBehalfOf}`}, from ${request.source}`,
    `  where    ${target.name}, ${target.kind}${target.address === undefined ? '' : ` at ${target.address}`}`,
    `  what     ${request.action}`,
    ...Object.entries(request.facts).map(
      ([fact, value]) => `           ${fact}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
    ),
    ...(request.justification === undefined ? [] : [`  says why ${request.justification}`]),
    `  rule     ${request.rule}${request.breakGlass ? ', break-glass: it was allowed at once' : ''}; good for ${grantInWords(request.grants)}`,
    `  policy   ${request.policies.length === 0 ? 'none: an operator steps through the session' : request.policies.join(', ')}, of ${request.policySet}`,
    `  session  ${request.session}${request.channel === undefined ? '' : `, channel ${request.channel}`}`,
    `  asked    ${request.asked}, until ${request.expires}`,
    `  needs    ${request.needed} ${request.needed === 1 ? 'reviewer' : 'reviewers'}${request.reasonRequired ? ', with a reason' : ''}`,
    ...decisions.map(
      (each) => `           ${each.time} ${each.verdict} by ${each.reviewer}${each.reason === '' ? '' : `: ${each.reason}`}`,
    ),
    `  digest   ${request.digest}`,
    ...(yours.may || yours.why === undefined ? [] : [`  (not yours to decide: ${yours.why})`]),
  ];
  return lines.map((line) => `${printable(line)}\n`).join('');
}

function grantInWords(grants: ApprovalRequest['grants']): string {
  return grants === 'once' ? 'one use' : grants === 'session' ? 'this session' : `${grants} seconds`;
}

function stateInWords({ state, request, decisions }: Approval): string {
  if (state === 'waiting' && request.needed > 1) return `waiting, ${decisions.length} of ${request.needed} have approved`;
  return state === 'review' ? 'open for review' : state;
}
