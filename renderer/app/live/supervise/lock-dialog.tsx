import { Button, Modal, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { type SyntheticEvent, useEffect, useRef, useState } from 'react';
import { Visible } from '../../approvals/exact-text-view.tsx';
import { useHasRole } from '../../client/operator-context.tsx';
import { useAsk, useDo } from '../../client/queries.ts';
import { counting, shortDateTime } from '../../design/format.ts';
import { FaultState, LoadingState } from '../../design/states.tsx';
import classes from './supervise.module.css';

/** Who is kept out, and keeping somebody out. `principal`: who is meant, where that is known. */
export function LockDialog({ principal = '', onClose }: { principal?: string; onClose: () => void }) {
  const maySupervise = useHasRole('reviewer', 'admin');
  return (
    <Modal opened onClose={onClose} title="Locked principals" size="lg">
      <div className={classes.dialog}>
        {maySupervise ? (
          <LockForm principal={principal} />
        ) : (
          <p className="muted">You see who is locked. Locking and unlocking take the role reviewer or admin.</p>
        )}
        <Locks maySupervise={maySupervise} />
      </div>
    </Modal>
  );
}

function LockForm({ principal: given }: { principal: string }) {
  const lock = useDo('lock.set', ['lock.list', 'session.list']);
  const [principal, setPrincipal] = useState(given);
  const [reason, setReason] = useState('');
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    lock.mutate(
      { principal: principal.trim(), reason: reason.trim() },
      {
        onSuccess: ({ sessions }) => {
          notifications.show({ title: `${principal} is locked`, message: `${counting(sessions, 'session')} ended. It is on record.` });
          setPrincipal('');
          setReason('');
        },
      },
    );
  };
  return (
    <form className={classes.lock} onSubmit={submit} aria-label="Lock a principal">
      <p className="muted">
        Whoever is locked is out at once: their sessions end, and those of agents acting for them. New ones are refused until somebody
        unlocks them.
      </p>
      <div className={classes.fields}>
        <TextInput
          label="Principal"
          value={principal}
          maxLength={255}
          required
          data-autofocus={given === '' || undefined}
          onChange={(event) => setPrincipal(event.currentTarget.value)}
        />
        <TextInput
          label="Why"
          value={reason}
          maxLength={2000}
          required
          data-autofocus={given !== '' || undefined}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        <Button
          type="submit"
          color="red"
          variant="filled"
          loading={lock.isPending}
          disabled={principal.trim() === '' || reason.trim() === ''}
        >
          Lock
        </Button>
      </div>
      {lock.error !== null && (
        <p role="alert" className={classes.problem}>
          {lock.error.message} {lock.error.remedy}
        </p>
      )}
    </form>
  );
}

function Locks({ maySupervise }: { maySupervise: boolean }) {
  const { data, error, refetch } = useAsk('lock.list', {});
  const [unlocking, setUnlocking] = useState<string>();
  if (error !== null) return <FaultState problem={error} retry={() => void refetch()} />;
  if (data === undefined) return <LoadingState what="Looking who is locked" />;
  if (data.locks.length === 0) return <p className="muted">Nobody is locked.</p>;
  return (
    <ul className={classes.locks} aria-label="Locked">
      {data.locks.map(({ principal, reason, by, since }) => (
        <li key={principal}>
          <div>
            <b>
              <Visible text={principal} />
            </b>{' '}
            <span className="muted">
              by {by}, {shortDateTime(since)}: “<Visible text={reason} />”
            </span>
          </div>
          {maySupervise && unlocking !== principal && (
            <Button size="compact-sm" onClick={() => setUnlocking(principal)}>
              Unlock…
            </Button>
          )}
          {unlocking === principal && <UnlockForm principal={principal} onDone={() => setUnlocking(undefined)} />}
        </li>
      ))}
    </ul>
  );
}

function UnlockForm({ principal, onDone }: { principal: string; onDone: () => void }) {
  const unlock = useDo('lock.clear', ['lock.list']);
  const [reason, setReason] = useState('');
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    unlock.mutate({ principal, reason: reason.trim() }, { onSuccess: onDone });
  };
  return (
    <form className={classes.fields} onSubmit={submit} aria-label={`Unlock ${principal}`}>
      <TextInput
        label={`Why ${principal} is unlocked`}
        value={reason}
        maxLength={2000}
        required
        ref={field}
        onChange={(event) => setReason(event.currentTarget.value)}
        error={unlock.error?.message}
      />
      <Button type="submit" variant="filled" loading={unlock.isPending} disabled={reason.trim() === ''}>
        Unlock
      </Button>
      <Button onClick={onDone}>Cancel</Button>
    </form>
  );
}
