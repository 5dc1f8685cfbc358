import { Button } from '@mantine/core';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Link } from 'wouter';
import type { Approval } from '../../../contract/operator-api.ts';
import { useAsk } from '../client/queries.ts';
import { day, shortDateTime } from '../design/format.ts';
import { ProtocolBadge, TargetLabel, Tell, Who } from '../design/labels.tsx';
import { useNow } from '../design/use-now.ts';
import { routes } from '../routes.ts';
import classes from './approvals.module.css';
import { type Countdown, countdown } from './countdown.ts';
import { DecisionForm, type DecisionFormHandle } from './decision-form.tsx';
import { exactText } from './exact-text.ts';
import { ExactTextView, Visible } from './exact-text-view.tsx';
import { grantWords, outcomeOf, sameBefore } from './outcome.ts';
import { PolicyDialog } from './policy-dialog.tsx';
import { ReviewersWords } from './reviewers-words.tsx';
import { useChecked } from './use-checked.ts';

interface ApprovalCardProps {
  readonly approval: Approval;
  /** It does not wait any more; `approval` is as it was when it did. */
  readonly over: boolean;
  readonly selected: boolean;
  /** Everything that was asked lately, to see whether the same was asked before. */
  readonly lately: readonly Approval[];
  readonly onSelect: () => void;
  /** Where keys reach its form. */
  readonly handle: (handle: DecisionFormHandle | null) => void;
  /** Whether a click now may have been meant for something that stood here before. */
  readonly hasJustMoved: () => boolean;
  /** Whether a key now may have been meant for something else, because nobody at the keyboard chose this one. */
  readonly hasJustComeUp: () => boolean;
  /** What is shown of the session meanwhile. */
  readonly glimpse?: ReactNode;
  /** Beside its session: what is said there already is left out. */
  readonly compact?: boolean;
}

/** One request with everything that a decision is about. */
export function ApprovalCard({
  approval,
  over,
  selected,
  lately,
  onSelect,
  handle,
  hasJustMoved,
  hasJustComeUp,
  glimpse,
  compact = false,
}: ApprovalCardProps) {
  const { request } = approval;
  const card = useRef<HTMLElement>(null);
  // What became of it is asked once it is over: its row is not in the list any more.
  const { data: ended } = useAsk('approval.show', { approval: request.id }, { enabled: over });
  const current = over ? (ended ?? approval) : approval;
  const isOver = over || (current.state !== 'waiting' && current.state !== 'review');
  const left = countdown(request.expires, useNow());
  const checked = useChecked(approval);
  useEffect(() => {
    if (selected) card.current?.scrollIntoView({ block: 'nearest' });
  }, [selected]);
  const urgency = isOver ? 'over' : request.breakGlass ? 'waits' : left.state;
  return (
    // The card is reached and moved between by J and K, and by Tab through what is in it.
    // biome-ignore lint/a11y/useKeyWithClickEvents: a click anywhere selects, as the keys do
    <article
      ref={card}
      className={classes.card}
      aria-label={`${request.principal} on ${request.target.name}`}
      data-approval={request.id}
      data-selected={selected || undefined}
      data-urgency={urgency}
      data-compact={compact || undefined}
      onClick={onSelect}
      // By keys alone: what is pointed at must not move between the press and the click.
      onFocus={({ target }) => target.matches(':focus-visible') && onSelect()}
    >
      <CardHead approval={current} isOver={isOver} left={left} />
      {isOver && !selected ? (
        <ReviewersWords decisions={current.decisions} breakGlass={request.breakGlass} />
      ) : (
        <>
          <WhatIsAsked approval={approval} />
          <CardFacts approval={approval} lately={lately} compact={compact} />
          <ReviewersWords decisions={current.decisions} breakGlass={request.breakGlass} />
          {selected && glimpse}
          {!isOver && (
            <DecisionForm
              ref={handle}
              approval={approval}
              checked={checked}
              timeIsOver={!request.breakGlass && left.state === 'over'}
              asksForKey={selected}
              hasJustMoved={hasJustMoved}
              hasJustComeUp={hasJustComeUp}
            />
          )}
        </>
      )}
    </article>
  );
}

function CardHead({ approval, isOver, left }: { approval: Approval; isOver: boolean; left: Countdown }) {
  const { request } = approval;
  const { data } = useAsk('session.show', { session: request.session }, { staleMillis: 60_000 });
  const outcome = outcomeOf(approval);
  return (
    <header className={classes.head}>
      <ProtocolBadge protocol={request.target.kind} />
      <Who principal={request.principal} onBehalfOf={request.onBehalfOf} />
      <span className="faint">on</span>
      <TargetLabel name={request.target.name} tags={data?.summary.tags ?? {}} />
      {request.breakGlass && <Tell tone="ask">break-glass: done already</Tell>}
      <span className={classes.spring} />
      {isOver ? (
        <Tell tone={outcome.tone}>{approval.state === 'waiting' ? 'Over' : outcome.words}</Tell>
      ) : request.breakGlass ? (
        <span className="muted">since {shortDateTime(request.asked)}</span>
      ) : (
        <span className={classes.left} data-state={left.state} role="timer" aria-label={left.spoken}>
          {left.state === 'over' ? 'Its time is over' : `${left.text} left`}
        </span>
      )}
    </header>
  );
}

function WhatIsAsked({ approval: { request } }: { approval: Approval }) {
  const { heading, language, text, rest } = exactText(request);
  return (
    <div className={classes.asked}>
      <h2>{heading}</h2>
      {text !== undefined && <ExactTextView text={text} language={language} label={heading} />}
      {rest.length > 0 && (
        <dl className={classes.rest}>
          {rest.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd className="mono">
                <Visible text={value} exact />
              </dd>
            </div>
          ))}
        </dl>
      )}
      {request.justification !== undefined && (
        <p className={classes.justification}>
          <span className="faint">Says why: </span>“<Visible text={request.justification} />”
        </p>
      )}
    </div>
  );
}

function CardFacts({ approval, lately, compact }: { approval: Approval; lately: readonly Approval[]; compact: boolean }) {
  const { request, decisions } = approval;
  const [policyShown, setPolicyShown] = useState(false);
  const before = sameBefore(approval, lately);
  const given = decisions.filter(({ verdict }) => verdict === 'approve').length;
  return (
    <>
      <dl className={classes.facts}>
        <Fact name="Asked by the rule">
          <span className="mono">{request.rule}</span>
        </Fact>
        <Fact name="Policy">
          <Button size="compact-xs" variant="subtle" className={classes.inline ?? ''} onClick={() => setPolicyShown(true)}>
            {request.policies.length === 0 ? 'an operator steps' : request.policies.join(', ')}
          </Button>
        </Fact>
        <Fact name="Needs">
          {request.breakGlass ? 'a review' : request.needed === 1 ? '1 reviewer' : `${request.needed} reviewers, ${given} given`}
        </Fact>
        <Fact name="Good">{grantWords(request.grants)}</Fact>
        {!compact && (
          <>
            <Fact name="Same before">
              {before.approved + before.denied === 0
                ? 'not lately'
                : `approved ${before.approved}×${before.denied > 0 ? `, denied ${before.denied}×` : ''}${before.last === undefined ? '' : `, last ${day(before.last)}`}`}
            </Fact>
            <Fact name="From">
              <span className="mono">{request.source}</span>
            </Fact>
            <Fact name="To">
              <span className="mono">{request.target.address ?? request.target.name}</span>
            </Fact>
            <Fact name="Session">
              <Link href={routes.liveSession(request.session)}>
                {request.session.slice(0, 8)}
                {request.channel === undefined ? '' : `, channel ${request.channel}`}
              </Link>
            </Fact>
          </>
        )}
      </dl>
      {policyShown && <PolicyDialog policySet={request.policySet} policies={request.policies} onClose={() => setPolicyShown(false)} />}
    </>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
