import { Button, Modal, SegmentedControl, Textarea } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type SyntheticEvent, useState } from 'react';
import type { ReviewVerdict } from '../../../contract/signed-statements.ts';
import { ask } from '../client/ask.ts';
import { useOperator } from '../client/operator-context.tsx';
import { asProblem } from '../client/problem.ts';
import { Tell } from '../design/labels.tsx';
import { useHost } from '../host/host-context.tsx';
import { SigningNotice } from '../keys/signing-notice.tsx';
import { useSigning } from '../keys/use-signing.ts';
import classes from './review.module.css';
import type { Review } from './review-panel.tsx';
import { shareWords } from './share-words.ts';

/** A signed word on a session: of what is recorded now, by whoever is logged in, with the key of this device. */
export function SignOffDialog({ session, review, opened, close }: { session: string; review: Review; opened: boolean; close: () => void }) {
  return (
    <Modal opened={opened} onClose={close} title="Sign off this session" size="lg">
      <Form session={session} review={review} close={close} />
    </Modal>
  );
}

function Form({ session, review, close }: { session: string; review: Review; close: () => void }) {
  const { operator } = useOperator();
  const { transport } = useHost();
  const client = useQueryClient();
  const signing = useSigning();
  const [verdict, setVerdict] = useState<ReviewVerdict>('fine');
  const [reason, setReason] = useState('');
  const { subject, origin, nanos, watched, yours, notes } = review;
  const seen = watched.find((each) => each.operator === operator)?.nanos ?? 0;
  const sign = useMutation({
    mutationFn: async () => {
      const words = reason.trim();
      const statement = { session, subject, verdict, reviewer: operator, reason: words };
      const signed = await signing.sign({ kind: 'review', origin, review: statement });
      await ask(transport, 'review.sign', { session, subject, verdict, reason: words, ...signed });
    },
    onSuccess: () => {
      notifications.show({ message: verdict === 'fine' ? 'Signed off as fine' : 'Signed off with a concern' });
      close();
    },
    onSettled: () =>
      Promise.all(
        ['review.show', 'session.records', 'session.show', 'session.list'].map((name) => client.invalidateQueries({ queryKey: [name] })),
      ).then(() => undefined),
  });
  const problem = sign.error === null ? undefined : asProblem(sign.error);
  const ready = yours.may && signing.state === 'ready' && reason.trim() !== '';
  return (
    <form
      className={classes.dialog}
      onSubmit={(event: SyntheticEvent) => {
        event.preventDefault();
        if (ready) sign.mutate();
      }}
    >
      <dl className={classes.facts}>
        <div>
          <dt>As</dt>
          <dd>{operator}</dd>
        </div>
        <div>
          <dt>You watched</dt>
          <dd>
            {shareWords(seen, nanos)}
            {seen < nanos && nanos > 0 && <span className="faint"> What was not shown to you stands in the record as not watched.</span>}
          </dd>
        </div>
        <div>
          <dt>Notes</dt>
          <dd>{notes.length}</dd>
        </div>
        <div>
          <dt>Of</dt>
          <dd className="mono">{subject}</dd>
        </div>
      </dl>
      {!yours.may && (
        <p role="alert">
          <Tell tone="ask">You cannot sign it off.</Tell> {yours.why}
        </p>
      )}
      <SigningNotice what="A review" />
      <SegmentedControl
        aria-label="What you make of it"
        value={verdict}
        onChange={setVerdict}
        data={[
          { value: 'fine', label: 'Fine' },
          { value: 'concern', label: 'Concern' },
        ]}
      />
      <Textarea
        label="Why"
        description="It is signed with it, and stands in the record for good"
        autosize
        minRows={2}
        maxRows={8}
        maxLength={2000}
        required
        data-autofocus
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      {problem !== undefined && (
        <div role="alert">
          <p>
            <Tell tone="deny">{problem.message}</Tell>
          </p>
          {problem.remedy !== undefined && <p className="muted">{problem.remedy}</p>}
          <p className="faint mono">{problem.code}</p>
        </div>
      )}
      <div className={classes.buttons}>
        <Button onClick={close}>Cancel</Button>
        <Button type="submit" variant="filled" loading={sign.isPending} disabled={!ready}>
          Sign
        </Button>
      </div>
    </form>
  );
}
