import type { OperationOutput } from '../../../contract/operator-api.ts';
import { factsOf } from '../../evidence/record-facts.ts';
import { number } from '../design/format.ts';
import { Facts } from '../design/pane.tsx';
import { Authentication } from './panels/authentication.tsx';
import { Verdict } from './panels/decision-panel.tsx';
import { recordOfType, useSessionRecords } from './session-records.ts';

/** The shortest answer to why and by what right, under every panel. */
export function SessionFoot({ shown: { session }, ready }: { shown: OperationOutput<'session.show'>; ready: boolean }) {
  const { data, error } = useSessionRecords(session.id, ready);
  const open = data === undefined ? undefined : recordOfType(data.records, 'session.open');
  const unread = error !== null ? 'not to be read now' : data === undefined ? '…' : 'erased';
  const indexes = (data?.records ?? []).map(({ index }) => index).filter((index) => index !== null);
  const [first, last] = [indexes[0], indexes.at(-1)];
  return (
    <Facts
      facts={[
        ['Caused by', 'the principal itself'],
        ['Logged in with', open === undefined ? unread : <Authentication key="how" actor={open.actor} />],
        ['Decision', open === undefined ? unread : <Verdict key="verdict" decision={factsOf(open.body.decision)} />],
        [
          'Ledger',
          first === undefined || last === undefined ? (
            unread === 'erased' ? (
              'no place yet'
            ) : (
              unread
            )
          ) : (
            <span key="ledger" className="mono">
              #{number(first)} – #{number(last)}
            </span>
          ),
        ],
      ]}
    />
  );
}
