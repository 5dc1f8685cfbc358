import type { Approval } from '../../../contract/operator-api.ts';
import { clockTime } from '../design/format.ts';
import { TimeText } from '../design/labels.tsx';
import classes from './approvals.module.css';
import { Visible } from './exact-text-view.tsx';

/** What reviewers have said, each signed. */
export function ReviewersWords({ decisions, breakGlass }: { decisions: Approval['decisions']; breakGlass: boolean }) {
  if (decisions.length === 0) return null;
  return (
    <ul className={classes.words} aria-label="Decisions">
      {decisions.map(({ reviewer, verdict, reason, time, key }) => (
        <li key={`${reviewer} ${time}`} data-verdict={verdict}>
          <b>{reviewer}</b> {verdict === 'approve' ? (breakGlass ? 'found it justified' : 'approved') : breakGlass ? 'objected' : 'denied'}
          {reason !== '' && (
            <>
              : “<Visible text={reason} />”
            </>
          )}{' '}
          <span className="faint" title={`Signed with ${key}`}>
            <TimeText time={time} text={clockTime(time)} />, signed
          </span>
        </li>
      ))}
    </ul>
  );
}
