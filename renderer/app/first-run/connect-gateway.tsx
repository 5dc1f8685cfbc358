import { Button, Select, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type SyntheticEvent, useState } from 'react';
import { asProblem, type Problem } from '../client/problem.ts';
import { day } from '../design/format.ts';
import { Facts } from '../design/pane.tsx';
import type { DesktopDoor } from '../host/host.ts';
import { useHost } from '../host/host-context.tsx';
import classes from './connect-gateway.module.css';

type Looked = Awaited<ReturnType<DesktopDoor['look']>>;

/** Which gateway: one that is known, or a new one whose certificate is looked at first. Only in the desktop app. */
export function ConnectGateway({ onChanged }: { onChanged: () => void }) {
  const { door } = useHost();
  const client = useQueryClient();
  const { data: gateways = [] } = useQuery({ queryKey: ['host.gateways'], queryFn: () => door.gateways() });
  const [adding, setAdding] = useState(false);
  const { desktop } = door;
  if (desktop === undefined) return null;
  const changed = () => {
    setAdding(false);
    void client.invalidateQueries({ queryKey: ['host.gateways'] });
    onChanged();
  };
  if (gateways.length === 0 || adding)
    return <NewGateway desktop={desktop} onTrusted={changed} {...(gateways.length === 0 ? {} : { onCancel: () => setAdding(false) })} />;
  return (
    <div className={classes.known}>
      <Select
        label="Gateway"
        size="sm"
        allowDeselect={false}
        data={gateways.map(({ id, name, origin }) => ({ value: id, label: `${name} · ${new URL(origin).host}` }))}
        value={gateways.find(({ current }) => current)?.id ?? null}
        onChange={(id) => id !== null && void desktop.use(id).then(changed)}
      />
      <Button size="sm" onClick={() => setAdding(true)}>
        Another one…
      </Button>
    </div>
  );
}

function NewGateway({ desktop, onTrusted, onCancel }: { desktop: DesktopDoor; onTrusted: () => void; onCancel?: () => void }) {
  const [address, setAddress] = useState('');
  const [looked, setLooked] = useState<Looked>();
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const attempt = (work: Promise<void>) => {
    setBusy(true);
    setProblem(undefined);
    work.catch((thrown: unknown) => setProblem(asProblem(thrown))).finally(() => setBusy(false));
  };
  const look = (event: SyntheticEvent) => {
    event.preventDefault();
    attempt(desktop.look(address.trim()).then(setLooked));
  };
  return (
    <section className={classes.added} aria-label="Connect to a gateway">
      <h2>Connect to a gateway</h2>
      <form className={classes.known} onSubmit={look}>
        <TextInput
          label="Address"
          placeholder="bastion.example.com:7443"
          size="sm"
          value={address}
          onChange={(event) => {
            setAddress(event.currentTarget.value);
            setLooked(undefined);
          }}
        />
        <Button size="sm" type="submit" loading={busy && looked === undefined} disabled={address.trim() === ''}>
          Look
        </Button>
      </form>
      {problem !== undefined && (
        <p role="alert" className={classes.fault}>
          {problem.message} {problem.remedy}
        </p>
      )}
      {looked !== undefined && (
        <>
          <Facts
            facts={[
              ['Shows', looked.subject],
              ['Good until', day(looked.validTo)],
              [
                'SHA-256',
                <code key="fingerprint" className="mono">
                  {looked.fingerprint}
                </code>,
              ],
            ]}
          />
          <p className="muted">
            Compare this fingerprint with the one that the gateway printed when it started. From now on exactly this certificate is trusted
            for {new URL(looked.origin).host}.
          </p>
          <Button
            size="sm"
            variant="filled"
            loading={busy}
            onClick={() => attempt(desktop.trust(looked.origin, looked.fingerprint, new URL(looked.origin).host).then(onTrusted))}
          >
            It is the same: trust it
          </Button>
        </>
      )}
      <div className={classes.known}>
        {onCancel !== undefined && <Button onClick={onCancel}>Back</Button>}
        {desktop.startDemo !== undefined && looked === undefined && (
          <Button loading={busy} onClick={() => attempt((desktop.startDemo?.() ?? Promise.resolve()).then(onTrusted))}>
            Start the demo gateway
          </Button>
        )}
      </div>
    </section>
  );
}
