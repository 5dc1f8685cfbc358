import { Button, Modal, TextInput } from '@mantine/core';
import { type SyntheticEvent, useState } from 'react';
import type { OperationOutput } from '../../../contract/operator-api.ts';
import { useAsk, useDo } from '../client/queries.ts';
import { day, utc } from '../design/format.ts';
import { Tag } from '../design/labels.tsx';
import { FaultState, LoadingState } from '../design/states.tsx';
import { Fingerprint } from './fingerprint.tsx';
import classes from './keys.module.css';
import { MakeKeyDialog } from './make-key-dialog.tsx';
import { useSigning } from './use-signing.ts';

type KnownKey = OperationOutput<'key.list'>['keys'][number];

/** The keys whose signatures count as the operator's, and what can be done about each. */
export function KeyPanel() {
  const { data, error, refetch } = useAsk('key.list', {});
  const signing = useSigning();
  const [making, setMaking] = useState(false);
  const [removing, setRemoving] = useState<KnownKey>();
  if (error !== null) return <FaultState problem={error} retry={() => void refetch()} />;
  if (data === undefined) return <LoadingState what="Looking for your keys" />;
  return (
    <div className={classes.panel}>
      {data.keys.length === 0 && (
        <p className="muted">No key signs for you yet. Without one you can look at everything, and decide nothing.</p>
      )}
      <ul className={classes.list} aria-label="Your signing keys">
        {data.keys.map((known) => {
          const isHere = known.fingerprint === signing.key?.fingerprint;
          return (
            <li key={known.fingerprint}>
              <div className={classes.name}>
                <b>{known.label === '' ? 'without a name' : known.label}</b>
                {isHere && <Tag>this device</Tag>}
                {known.from === 'configuration' ? (
                  <span className="faint">from the configuration: it is taken away there</span>
                ) : (
                  known.since !== null && (
                    <span className="faint" title={utc(known.since)}>
                      registered {day(known.since)}
                    </span>
                  )
                )}
                {known.from === 'registered' && (
                  <Button size="compact-xs" color="red" variant="outline" onClick={() => setRemoving(known)}>
                    Remove…
                  </Button>
                )}
              </div>
              <Fingerprint value={known.fingerprint} />
            </li>
          );
        })}
      </ul>
      {signing.state !== 'ready' && signing.state !== 'looking' && (
        <div>
          <Button variant="filled" onClick={() => setMaking(true)}>
            {signing.state === 'unregistered' ? 'Register the key of this device…' : 'Make a signing key for this device…'}
          </Button>
        </div>
      )}
      <MakeKeyDialog opened={making} onClose={() => setMaking(false)} />
      <RemoveDialog
        known={removing}
        isHere={removing?.fingerprint === signing.key?.fingerprint}
        forget={signing.forget}
        onClose={() => setRemoving(undefined)}
      />
    </div>
  );
}

interface RemoveDialogProps {
  known: KnownKey | undefined;
  isHere: boolean;
  forget: () => Promise<void>;
  onClose: () => void;
}

function RemoveDialog({ known, isHere, forget, onClose }: RemoveDialogProps) {
  const remove = useDo('key.remove', ['key.list', 'whoami']);
  const [reason, setReason] = useState('');
  const close = () => {
    remove.reset();
    setReason('');
    onClose();
  };
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (known === undefined) return;
    remove.mutate(
      { fingerprint: known.fingerprint, reason },
      {
        // The gateway first: a key that is still registered must not be lost from the device unnoticed.
        onSuccess: () => {
          if (isHere) void forget();
          close();
        },
      },
    );
  };
  return (
    <Modal opened={known !== undefined} onClose={close} title={`Take back ${known?.label ?? 'a key'}`}>
      <form className={classes.dialog} onSubmit={submit}>
        <p>It signs nothing for you any more. What it has signed stays signed and can still be verified.</p>
        <TextInput
          label="Why"
          description="It stands in the record"
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          required
          data-autofocus
        />
        {remove.error !== null && (
          <p role="alert" className={classes.trouble}>
            {remove.error.message}
          </p>
        )}
        <div className={classes.buttons}>
          <Button onClick={close}>Cancel</Button>
          <Button type="submit" color="red" variant="filled" loading={remove.isPending} disabled={reason.trim() === ''}>
            Remove the key
          </Button>
        </div>
      </form>
    </Modal>
  );
}
