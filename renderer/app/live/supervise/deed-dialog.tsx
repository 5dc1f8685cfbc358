import { Button, Modal, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { type SyntheticEvent, useState } from 'react';
import { Visible } from '../../approvals/exact-text-view.tsx';
import { asProblem, type Problem } from '../../client/problem.ts';
import { type Deed, deeds } from './deeds.ts';
import classes from './supervise.module.css';
import { useSupervise } from './use-supervise.ts';

export interface Subject {
  readonly id: string;
  readonly principal: string;
  readonly target: string;
}

/** Asks for the words that stand in the record, and does it. What came of it is told where it can be seen. */
export function DeedDialog({ deed, subject, onClose }: { deed: Deed; subject: Subject; onClose: () => void }) {
  const supervise = useSupervise();
  const [words, setWords] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const { title, effect, field, button, grave } = deeds[deed];
  const submit = async (event: SyntheticEvent) => {
    event.preventDefault();
    if (words.trim() === '' || busy) return;
    setBusy(true);
    setProblem(undefined);
    try {
      const told = await supervise(deed, subject.id, words);
      notifications.show({ title: `${subject.principal} on ${subject.target}`, message: told });
      onClose();
    } catch (thrown) {
      setProblem(asProblem(thrown));
      setBusy(false);
    }
  };
  return (
    <Modal opened onClose={onClose} title={title}>
      <form className={classes.dialog} onSubmit={(event) => void submit(event)}>
        <p>
          <b>
            <Visible text={subject.principal} />
          </b>{' '}
          on <b>{subject.target}</b> <span className="faint mono">{subject.id.slice(0, 13)}</span>
        </p>
        <p className="muted">{effect}</p>
        <TextInput
          label={field}
          value={words}
          maxLength={2000}
          required
          data-autofocus
          onChange={(event) => setWords(event.currentTarget.value)}
        />
        {problem !== undefined && (
          <div role="alert" className={classes.problem}>
            <p>{problem.message}</p>
            {problem.remedy !== undefined && <p className="muted">{problem.remedy}</p>}
            <p className="faint mono">{problem.code}</p>
          </div>
        )}
        <div className={classes.buttons}>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="filled" {...(grave ? { color: 'red' } : {})} loading={busy} disabled={words.trim() === ''}>
            {button}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
