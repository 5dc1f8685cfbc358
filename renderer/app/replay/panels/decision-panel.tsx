import { printable } from '../../../bundle-page/interface/printable.ts';
import { factsOf, type ReadRecord, textOr } from '../../../evidence/record-facts.ts';
import { useAsk } from '../../client/queries.ts';
import { clockTime, shortDateTime } from '../../design/format.ts';
import { Tell, type Tone } from '../../design/labels.tsx';
import { Facts } from '../../design/pane.tsx';
import { policyLines } from '../policy-lines.ts';
import { recordOfType, type SessionRecord } from '../session-records.ts';
import { ApprovalView } from './approval-view.tsx';
import { Authentication } from './authentication.tsx';
import classes from './panels.module.css';
import { Json } from './record-list.tsx';
import { Scrolled } from './scrolled.tsx';
import { WithRecords } from './with-records.tsx';

/** Why it was allowed: who it was, what the policy in force said, and whoever was asked. */
export function DecisionPanel({ session, channel }: { session: string; channel: number | undefined }) {
  return (
    <WithRecords session={session}>
      {({ records }) => {
        const open = recordOfType(records, 'session.open');
        const asked = approvalsOf(records);
        return (
          <div className={classes.scroll}>
            <section className={classes.section}>
              <h2>The session</h2>
              {open === undefined ? <p className="muted">The record of its opening is gone.</p> : <Opened open={open} />}
            </section>
            {asked.length > 0 && (
              <section className={classes.section}>
                <h2>Approvals</h2>
                {asked.map((approval) => (
                  <ApprovalView key={approval} approval={approval} />
                ))}
              </section>
            )}
            <Actions records={records} channel={channel} />
            {open !== undefined && <PolicyText decisions={decisionsOf(records)} open={open} />}
          </div>
        );
      }}
    </WithRecords>
  );
}

function Opened({ open: { actor, body, target } }: { open: ReadRecord }) {
  const decision = factsOf(body.decision);
  const via = factsOf(body.via);
  return (
    <Facts
      facts={[
        ['Verdict', <Verdict key="verdict" decision={decision} />],
        ['Who', `${printable(textOr(actor.principal, '?'))}, ${textOr(actor.kind, '?')}`],
        ['On behalf of', typeof actor.onBehalfOf === 'string' ? printable(actor.onBehalfOf) : 'itself'],
        ['Logged in with', <Authentication key="how" actor={actor} />],
        [
          'From',
          <span key="from" className="mono">
            {printable(textOr(actor.source, '?'))}
          </span>,
        ],
        ...(typeof via.principal === 'string'
          ? [['Through', `the gateway as jump host, by ${printable(via.principal)} from ${printable(textOr(via.source, '?'))}`] as const]
          : []),
        [
          'Client',
          <span key="client" className="mono">
            {printable(textOr(body.client, '?'))}
          </span>,
        ],
        [
          'Asked for',
          <span key="asked" className="mono">
            {printable(textOr(body.requested, '?'))}
          </span>,
        ],
        ['Target', `${printable(textOr(target.name, '?'))} ${printable(textOr(target.address, ''))}`],
      ]}
    />
  );
}

export function Verdict({ decision }: { decision: Readonly<Record<string, unknown>> }) {
  const verdict = textOr(decision.verdict, '?');
  const tone: Tone = ({ allow: 'ok', ask: 'ask', deny: 'deny' }[verdict] as Tone | undefined) ?? 'plain';
  const words = { allow: 'allowed', ask: 'asked for approval', deny: 'denied' }[verdict] ?? verdict;
  const policies = policiesIn(decision);
  return (
    <>
      <Tell tone={tone}>{words}</Tell>
      {policies.length > 0 && (
        <>
          <span className="faint"> by </span>
          <span className="mono">{printable(policies.join(', '))}</span>
        </>
      )}
    </>
  );
}

const SHOWN = 200;

/** What was decided on this channel. */
function Actions({ records, channel }: { records: readonly SessionRecord[]; channel: number | undefined }) {
  const decided = records.filter(
    ({ type, read }) => type === 'action.decided' && (channel === undefined || read?.body.channel === channel),
  );
  if (decided.length === 0) return undefined;
  return (
    <section className={classes.section}>
      <h2>Decided on this channel</h2>
      <ol className={classes.records}>
        {decided.slice(0, SHOWN).map(({ key, read, record, time }) => (
          <li key={key}>
            <details className={classes.record}>
              <summary>
                <time className="faint mono" dateTime={time}>
                  {clockTime(time)}
                </time>
                <span>{printable(textOr(read?.body.action, '?'))}</span>
                <span className={classes.sentence}>
                  <Verdict decision={factsOf(read?.body.decision)} /> <span className="faint">·</span>{' '}
                  <span className="mono">{printable(factWords(factsOf(read?.body.facts)))}</span>
                </span>
              </summary>
              <Json value={factsOf(record).body ?? null} />
            </details>
          </li>
        ))}
      </ol>
      {decided.length > SHOWN && <p className="muted">The first {SHOWN} are shown. All of them are under Evidence.</p>}
    </section>
  );
}

/** The fact that people know an action by. */
function factWords(facts: Readonly<Record<string, unknown>>): string {
  const said = facts.command ?? facts.path ?? facts.subsystem ?? facts.host ?? facts.term;
  return typeof said === 'string' ? said : '';
}

function PolicyText({ open, decisions }: { open: ReadRecord; decisions: readonly Readonly<Record<string, unknown>>[] }) {
  const policySet = textOr(factsOf(open.body.decision).policySet, '');
  const known = /^[0-9a-f]{64}$/.test(policySet);
  const { data, error } = useAsk('policy.text', { policySet }, { enabled: known });
  const deciding = [...new Set(decisions.filter((decision) => decision.policySet === policySet).flatMap(policiesIn))];
  return (
    <section className={classes.section}>
      <h2>Policy in force</h2>
      {data === undefined ? (
        <p className="muted">{error === null && known ? 'Reading it…' : (error?.message ?? 'No record names the policy.')}</p>
      ) : (
        <>
          <p className="muted">
            {data.source === 'cedar' ? 'Cedar' : 'Allow lists of the configuration'}, in force since {shortDateTime(data.since)}
            {data.current ? ' and still today.' : '; another one is in force today.'}
          </p>
          <p className="mono faint" style={{ overflowWrap: 'anywhere' }}>
            {policySet}
          </p>
          <Scrolled label="Text of the policy" lines>
            {policyLines(data.source, data.text, deciding).map(({ text, deciding: marked }, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: lines of a text have no other name
              <span key={index} data-deciding={marked || undefined} title={marked ? 'This decided' : undefined}>
                {printable(text)}
              </span>
            ))}
          </Scrolled>
        </>
      )}
    </section>
  );
}

function decisionsOf(records: readonly SessionRecord[]): Readonly<Record<string, unknown>>[] {
  return records.filter(({ type }) => type === 'session.open' || type === 'action.decided').map(({ read }) => factsOf(read?.body.decision));
}

function policiesIn(decision: Readonly<Record<string, unknown>>): string[] {
  return Array.isArray(decision.policies) ? decision.policies.filter((each): each is string => typeof each === 'string') : [];
}

/** Of requests that were made in this session, and of those that were made elsewhere and good here too. */
export function approvalsOf(records: readonly SessionRecord[]): string[] {
  const ids = records.flatMap(({ type, read }) => {
    if (type === 'approval.asked') return [textOr(factsOf(read?.body.request).id, '')];
    return type === 'grant.used' ? [textOr(read?.body.approval, '')] : [];
  });
  return [...new Set(ids)].filter((id) => id !== '');
}
