import { Button, TextInput } from '@mantine/core';
import { type Ref, type SyntheticEvent, useId, useImperativeHandle, useRef, useState } from 'react';
import type { ApprovalVerdict } from '../../../contract/approval.ts';
import type { Approval } from '../../../contract/operator-api.ts';
import { useConnection } from '../client/event-context.tsx';
import { useHasRole } from '../client/operator-context.tsx';
import { asProblem, type Problem } from '../client/problem.ts';
import { Key } from '../design/labels.tsx';
import { SigningNotice } from '../keys/signing-notice.tsx';
import { useSigning } from '../keys/use-signing.ts';
import classes from './approvals.module.css';
import { needsReason } from './may-decide.ts';
import type { Checked } from './use-checked.ts';
import { mismatch, useDecide } from './use-decide.ts';

export interface DecisionFormHandle {
  /** Goes to the reason, for this verdict: Enter then decides. Nothing is decided by one key. */
  begin(verdict: ApprovalVerdict): void;
}

interface DecisionFormProps {
  readonly approval: Approval;
  readonly checked: Checked;
  readonly timeIsOver: boolean;
  /** That this device has no key yet is said once, where somebody looks. */
  readonly asksForKey: boolean;
  readonly hasJustMoved: () => boolean;
  readonly hasJustComeUp: () => boolean;
  readonly ref: Ref<DecisionFormHandle>;
}

const words = {
  waiting: { approve: 'Approve', deny: 'Deny' },
  review: { approve: 'Justified', deny: 'Object' },
} as const;

/** Where a reviewer says yes or no and why, and signs it. Whoever may not is told why, and sees no button that fails. */
export function DecisionForm({ approval, checked, timeIsOver, asksForKey, hasJustMoved, hasJustComeUp, ref }: DecisionFormProps) {
  const isReviewer = useHasRole('reviewer');
  const signing = useSigning();
  const isLost = useConnection() === 'lost';
  const decide = useDecide();
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const [reason, setReason] = useState('');
  const [verdict, setVerdict] = useState<ApprovalVerdict>();
  const [busy, setBusy] = useState<ApprovalVerdict>();
  const [problem, setProblem] = useState<Problem>();
  const [hint, setHint] = useState('');
  const { request, yours, state } = approval;
  const says = words[state === 'review' ? 'review' : 'waiting'];
  const mayTry =
    isReviewer && yours.may && signing.state === 'ready' && checked.digest === 'right' && !checked.changed && !timeIsOver && !isLost;
  const send = async (given: ApprovalVerdict) => {
    if (!mayTry || busy !== undefined) return;
    if (needsReason(approval, given) && reason.trim() === '') {
      setVerdict(given);
      setHint(given === 'deny' ? 'Say why you deny it: it stands in the record.' : 'This rule asks for a reason.');
      field.current?.focus();
      return;
    }
    setBusy(given);
    setProblem(undefined);
    setHint('');
    await decide(approval, { verdict: given, reason, shown: checked.shown }).catch((thrown: unknown) => setProblem(asProblem(thrown)));
    setBusy(undefined);
  };
  useImperativeHandle(ref, () => ({
    begin: (given) => {
      if (!mayTry) return;
      if (hasJustComeUp()) {
        setHint('This request has just come up here. Nothing was decided: read it, and press again.');
        return;
      }
      setVerdict(given);
      setHint('');
      field.current?.focus();
    },
  }));
  const click = (given: ApprovalVerdict) => {
    if (hasJustMoved()) setHint('The list has just moved under the pointer. Nothing was decided: click again.');
    else void send(given);
  };
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (verdict === undefined) setHint('Choose: A approves and D denies, outside of this field, or one of the buttons.');
    else void send(verdict);
  };
  const against = whyNot({ approval, isReviewer, checked, timeIsOver });
  if (against !== undefined) return <p className={classes.against}>{against}</p>;
  if (checked.digest === 'wrong')
    return (
      <div className={classes.alarm} role="alert">
        <p>{mismatch().message}</p>
        <p>{mismatch().remedy}</p>
      </div>
    );
  if (checked.changed)
    return (
      <div className={classes.alarm} role="alert">
        <p>This request has changed since it was shown to you. Read it again, all of it.</p>
        <Button onClick={checked.readAgain}>I have read it again</Button>
      </div>
    );
  return (
    <>
      <div className={classes.signing}>{asksForKey && <SigningNotice what="A decision" />}</div>
      <form className={classes.decision} onSubmit={submit} aria-label={`Decision on ${request.principal}`}>
        <TextInput
          ref={field}
          className={classes.reason ?? ''}
          size="sm"
          aria-label={verdict === undefined ? 'Reason' : verdict === 'approve' ? `Reason, ${says.approve}` : `Reason, ${says.deny}`}
          aria-describedby={hint === '' ? undefined : `${id}-hint`}
          placeholder={placeholderOf(approval, verdict, says)}
          maxLength={2000}
          value={reason}
          disabled={!mayTry}
          onChange={(event) => setReason(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Escape') return;
            setVerdict(undefined);
            setHint('');
            field.current?.blur();
          }}
        />
        <Button
          color="red"
          variant={verdict === 'deny' ? 'filled' : 'outline'}
          loading={busy === 'deny'}
          disabled={!mayTry}
          onClick={() => click('deny')}
          rightSection={<Key>D</Key>}
        >
          {says.deny}
        </Button>
        <Button
          variant={verdict === 'deny' ? 'default' : 'filled'}
          loading={busy === 'approve'}
          disabled={!mayTry}
          onClick={() => click('approve')}
          rightSection={<Key>A</Key>}
        >
          {says.approve}
        </Button>
      </form>
      <div className={classes.below} role="status">
        {isLost ? (
          <span className={classes.hint}>Not connected: nothing can be decided until the gateway is back. What you wrote stays.</span>
        ) : problem !== undefined ? (
          <span className={classes.problem}>
            {problem.message} {problem.remedy} <span className="faint mono">{problem.code}</span>
          </span>
        ) : hint !== '' ? (
          <span id={`${id}-hint`} className={classes.hint}>
            {hint}
          </span>
        ) : verdict !== undefined ? (
          <span className="muted">
            Enter signs and sends: <b>{verdict === 'approve' ? says.approve : says.deny}</b>. Escape goes back.
          </span>
        ) : null}
      </div>
    </>
  );
}

function placeholderOf(approval: Approval, verdict: ApprovalVerdict | undefined, says: { approve: string; deny: string }): string {
  const needed = verdict === undefined ? approval.request.reasonRequired : needsReason(approval, verdict);
  const which = verdict === undefined ? 'Reason' : `${verdict === 'approve' ? says.approve : says.deny}: reason`;
  return `${which}${needed ? ' (required)' : verdict === undefined ? ` (required to ${says.deny.toLowerCase()})` : ' (if you like)'}`;
}

interface Standing {
  readonly approval: Approval;
  readonly isReviewer: boolean;
  readonly checked: Checked;
  readonly timeIsOver: boolean;
}

/** Why there is nothing to decide here for whoever looks; undefined when there is. */
function whyNot({ approval: { yours }, isReviewer, timeIsOver }: Standing): string | undefined {
  if (timeIsOver) return 'Its time is over. What it became is told by the gateway in a moment.';
  if (!isReviewer) return 'You see this, and a reviewer decides about it: the role reviewer is not among yours.';
  if (!yours.may) return `Not yours to decide: ${yours.why ?? 'the gateway says so'}.`;
  return undefined;
}
