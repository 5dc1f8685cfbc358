import { Tabs } from '@mantine/core';
import { useMemo, useState } from 'react';
import type { Approval } from '../../../contract/operator-api.ts';
import { useHasRole } from '../client/operator-context.tsx';
import { useAsk } from '../client/queries.ts';
import { Key } from '../design/labels.tsx';
import { Screen, Spring } from '../design/pane.tsx';
import { FaultState, LoadingState } from '../design/states.tsx';
import classes from './approvals.module.css';
import { DecidedList } from './decided-list.tsx';
import { OneApproval } from './one-approval.tsx';
import { OpenList } from './open-list.tsx';

type Tab = 'waiting' | 'decided' | 'review';

/** What waits for a person, what was decided, and what was done without waiting. */
export function ApprovalsScreen({ approval: linked }: { approval: string | undefined }) {
  const open = useAsk('approval.list', { limit: 1000 }, { refetchMillis: 60_000 });
  const lately = useAsk('approval.list', { all: true, limit: 200 });
  const [chosen, setChosen] = useState<Tab>();
  const isReviewer = useHasRole('reviewer');
  const waiting = useMemo(() => ofState(open.data?.approvals, 'waiting'), [open.data]);
  const review = useMemo(() => ofState(open.data?.approvals, 'review'), [open.data]);
  // A link leads to one request, wherever it stands by now.
  const place = linked === undefined ? undefined : review.some(({ request }) => request.id === linked) ? 'review' : 'waiting';
  const tab = chosen ?? place ?? 'waiting';
  const shown = tab === 'waiting' ? waiting : review;
  return (
    <Screen
      label="Approvals"
      bar={
        <>
          <Tabs value={tab} onChange={(next) => setChosen((next ?? 'waiting') as Tab)} variant="pills">
            <Tabs.List aria-label="Approvals">
              <Tabs.Tab value="waiting">Waiting {open.data === undefined ? '' : waiting.length}</Tabs.Tab>
              <Tabs.Tab value="decided">Decided</Tabs.Tab>
              <Tabs.Tab value="review">Break-glass to review {open.data === undefined ? '' : review.length}</Tabs.Tab>
            </Tabs.List>
          </Tabs>
          <Spring />
          {tab !== 'decided' && shown.length > 0 && (
            <span className={classes.keys}>
              <Key>J</Key> <Key>K</Key> move · {isReviewer && <Deciding tab={tab} />}
              <Key>O</Key> open session
            </span>
          )}
        </>
      }
    >
      {tab === 'decided' ? (
        <DecidedList />
      ) : open.data === undefined ? (
        open.error === null ? (
          <LoadingState what="Looking for what waits" />
        ) : (
          <FaultState problem={open.error} retry={() => void open.refetch()} title="What waits could not be listed" />
        )
      ) : (
        <OpenList
          key={tab}
          kind={tab}
          open={shown}
          lately={lately.data?.approvals ?? []}
          linked={linked}
          before={
            linked !== undefined && chosen === undefined && place === 'waiting' ? (
              <OneApproval approval={linked} open={waiting} lately={lately.data?.approvals ?? []} />
            ) : null
          }
        />
      )}
    </Screen>
  );
}

function Deciding({ tab }: { tab: 'waiting' | 'review' }) {
  return (
    <>
      <Key>A</Key> {tab === 'waiting' ? 'approve' : 'justified'} · <Key>D</Key> {tab === 'waiting' ? 'deny' : 'object'} ·{' '}
    </>
  );
}

function ofState(approvals: readonly Approval[] | undefined, state: Approval['state']): readonly Approval[] {
  return (approvals ?? []).filter((approval) => approval.state === state);
}
