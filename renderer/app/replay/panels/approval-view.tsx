import { Link } from 'wouter';
import type { OperationOutput } from '../../../../contract/operator-api.ts';
import { printable } from '../../../bundle-page/interface/printable.ts';
import { useAsk } from '../../client/queries.ts';
import { shortDateTime } from '../../design/format.ts';
import { Tell, type Tone } from '../../design/labels.tsx';
import { routes } from '../../routes.ts';
import { useSignatureState } from '../signatures/use-signature-state.ts';
import classes from './panels.module.css';

type Approval = OperationOutput<'approval.show'>;

const tones: Readonly<Record<string, Tone>> = { approved: 'ok', denied: 'deny', waiting: 'ask', used: 'ok' };

/** A request for approval of this session, and the signed words on it. */
export function ApprovalView({ approval }: { approval: string }) {
  const { data, error } = useAsk('approval.show', { approval });
  if (data === undefined) return <p className="muted">{error?.message ?? 'Reading it…'}</p>;
  const { request, state, decisions } = data;
  return (
    <article className={classes.card}>
      <div className={classes.line}>
        <Tell tone={tones[state] ?? 'plain'}>{state}</Tell>
        <Link href={routes.approval(approval)}>{printable(request.rule)}</Link>
        <span className="faint">{shortDateTime(request.asked)}</span>
      </div>
      <p>
        {printable(request.principal)} asked for {request.action}
        {typeof request.facts.command === 'string' && <span className="mono"> {printable(request.facts.command)}</span>}
      </p>
      {request.justification !== undefined && <p className="muted">“{printable(request.justification)}”</p>}
      {decisions.map((decision) => (
        <Decision key={decision.signature} approval={data} decision={decision} />
      ))}
    </article>
  );
}

function Decision({ approval, decision }: { approval: Approval; decision: Approval['decisions'][number] }) {
  const { reviewer, verdict, reason } = decision;
  const { words, tone, title } = useSignatureState({
    statement: {
      kind: 'approval',
      origin: approval.origin,
      request: approval.request,
      decision: { verdict, reviewer, reason },
    },
    key: decision.key,
    signature: decision.signature,
  });
  return (
    <div className={classes.line}>
      <Tell tone={verdict === 'approve' ? 'ok' : 'deny'}>{verdict === 'approve' ? 'approved' : 'denied'}</Tell>
      <span>by {printable(reviewer)}</span>
      <span className="faint">{shortDateTime(decision.time)}</span>
      <Tell tone={tone} title={title}>
        {words}
      </Tell>
      {reason !== '' && <span className="muted">“{printable(reason)}”</span>}
    </div>
  );
}
