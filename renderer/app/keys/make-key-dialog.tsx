import { Button, Modal, TextInput } from '@mantine/core';
import { type SyntheticEvent, useEffect, useRef, useState } from 'react';
import { asProblem, type Problem } from '../client/problem.ts';
import { useHost } from '../host/host-context.tsx';
import { Fingerprint } from './fingerprint.tsx';
import classes from './keys.module.css';
import { LogInAgain } from './log-in-again.tsx';
import { deviceLabel } from './signing-state.ts';
import { type Signing, useSigning } from './use-signing.ts';

/** Makes the key of this device, registers it for the operator, and shows what it is called. */
export function MakeKeyDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const signing = useSigning();
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={signing.state === 'ready' ? 'This device signs for you' : 'A signing key for this device'}
    >
      {signing.state === 'ready' ? <Ready signing={signing} onClose={onClose} /> : <Making signing={signing} onClose={onClose} />}
    </Modal>
  );
}

function Ready({ signing: { key }, onClose }: { signing: Signing; onClose: () => void }) {
  const done = useRef<HTMLButtonElement>(null);
  // The button that made the key has gone, and the focus with it.
  useEffect(() => done.current?.focus(), []);
  return (
    <div className={classes.dialog}>
      <p>Decisions and reviews that you make here are signed with it, and count as yours.</p>
      {key !== undefined && <Fingerprint value={key.fingerprint} />}
      <div className={classes.buttons}>
        <Button ref={done} variant="filled" onClick={onClose} data-autofocus>
          Done
        </Button>
      </div>
    </div>
  );
}

function Making({ signing, onClose }: { signing: Signing; onClose: () => void }) {
  const { kind } = useHost();
  const [label, setLabel] = useState(() => deviceLabel(navigator.userAgent, kind));
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const { state, key, mayRegister, fault } = signing;
  const make = async (event: SyntheticEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    await signing.register(label.trim()).catch((thrown: unknown) => setProblem(asProblem(thrown)));
    setBusy(false);
  };
  if (state === 'unavailable')
    return (
      <div className={classes.dialog}>
        <p role="alert">This device keeps no keys: {fault}</p>
        <p className="muted">Private windows often keep nothing. Use an ordinary one, the desktop app, or sign with `sallyport approve`.</p>
      </div>
    );
  return (
    <form className={classes.dialog} onSubmit={(event) => void make(event)}>
      <p>
        {kind === 'desktop'
          ? 'The key is made here and kept by your system. It never leaves this device, and the gateway only learns its public half.'
          : 'The key is made here and kept by this browser, which signs with it and gives it to nobody. The gateway only learns its public half.'}
      </p>
      {key !== undefined && (
        <>
          <p className="muted">There is a key on this device already. It is not registered for you yet:</p>
          <Fingerprint value={key.fingerprint} />
        </>
      )}
      {mayRegister ? (
        <>
          <TextInput
            label="What you call this device"
            value={label}
            onChange={(event) => setLabel(event.currentTarget.value)}
            maxLength={100}
            required
            data-autofocus
          />
          <Trouble problem={problem} />
          <div className={classes.buttons}>
            <Button onClick={onClose}>Cancel</Button>
            <Button variant="filled" type="submit" loading={busy} disabled={label.trim() === ''}>
              {key === undefined ? 'Make and register the key' : 'Register the key'}
            </Button>
          </div>
        </>
      ) : (
        <>
          <Trouble problem={problem} />
          <LogInAgain />
        </>
      )}
    </form>
  );
}

function Trouble({ problem }: { problem: Problem | undefined }) {
  if (problem === undefined) return null;
  return (
    <div role="alert" className={classes.trouble}>
      <p>{problem.message}</p>
      {problem.remedy !== undefined && <p className="muted">{problem.remedy}</p>}
      <p className="faint mono">{problem.code}</p>
    </div>
  );
}
