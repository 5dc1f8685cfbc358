import type { ReactNode } from 'react';
import type { OperationOutput } from '../../../../contract/operator-api.ts';
import { printable } from '../../../bundle-page/interface/printable.ts';
import { factsOf, textOr } from '../../../evidence/record-facts.ts';
import { counting, shortDateTime } from '../../design/format.ts';
import { commandOf, kindOf } from '../channel-switcher.tsx';
import { recordOfType } from '../session-records.ts';
import { ApprovalView } from './approval-view.tsx';
import { Authentication } from './authentication.tsx';
import { approvalsOf } from './decision-panel.tsx';
import classes from './panels.module.css';
import { WithRecords } from './with-records.tsx';

type Shown = OperationOutput<'session.show'>;

/** How the session came about, from whoever wanted it down to what they opened in it. */
export function CausePanel({ shown: { session, channels } }: { shown: Shown }) {
  return (
    <WithRecords session={session.id}>
      {({ records }) => {
        const open = recordOfType(records, 'session.open');
        const via = factsOf(open?.body.via);
        const approvals = approvalsOf(records);
        return (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is scrolled by the keyboard too
          <div role="group" aria-label="Cause of this session" tabIndex={0} className={classes.scroll}>
            <section className={classes.section}>
              <ol className={classes.tree}>
                {session.onBehalfOf !== null && (
                  <Step title={printable(session.onBehalfOf)}>is the human whom this agent acts for, by the configuration.</Step>
                )}
                <Step title={`${session.principal === '' ? 'erased' : printable(session.principal)} (${session.principalKind})`}>
                  {open === undefined ? (
                    'The record of its opening is gone.'
                  ) : (
                    <>
                      logged in with <Authentication actor={open.actor} />
                    </>
                  )}
                  <span className="faint"> from </span>
                  <span className="mono">{printable(session.source)}</span>
                </Step>
                {typeof via.principal === 'string' && (
                  <Step title="This gateway as jump host">
                    The connection came through one of {printable(via.principal)} from{' '}
                    <span className="mono">{printable(textOr(via.source, '?'))}</span>.
                  </Step>
                )}
                {approvals.length > 0 && (
                  <Step title={`${counting(approvals.length, 'approval')} asked for`}>
                    {approvals.map((approval) => (
                      <ApprovalView key={approval} approval={approval} />
                    ))}
                  </Step>
                )}
                <Step title={`Session at ${printable(session.target)}`}>
                  opened {shortDateTime(session.started)}
                  {session.reason !== null && <>, ended: {printable(session.reason)}</>}
                </Step>
                {channels.slice(0, MOST_CHANNELS).map((channel) => (
                  <Step key={channel.channel} title={`Channel ${channel.channel}: ${printable(kindOf(channel))}`}>
                    {commandOf(channel) !== undefined && <span className="mono">{printable(commandOf(channel) ?? '')}</span>}
                  </Step>
                ))}
                {channels.length > MOST_CHANNELS && (
                  <Step title={`and ${counting(channels.length - MOST_CHANNELS, 'more channel')}`}>{undefined}</Step>
                )}
              </ol>
            </section>
            <section className={classes.section}>
              <h2>What caused it</h2>
              <p>Opened by the principal itself; no tool call is recorded as its cause.</p>
              <p className="muted">
                Who logged in, from where and by which policy is on record. Why {printable(session.principal) || 'they'} wanted it is not,
                unless an approval says so.
              </p>
            </section>
          </div>
        );
      }}
    </WithRecords>
  );
}

const MOST_CHANNELS = 50;

function Step({ title, children }: { title: string; children: ReactNode }) {
  return (
    <li>
      <h2>{title}</h2>
      <div className="muted">{children}</div>
    </li>
  );
}
