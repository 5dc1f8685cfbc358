import { Button, TextInput } from '@mantine/core';
import { type SyntheticEvent, useState } from 'react';
import { useLocation } from 'wouter';
import type { Operator } from '../client/operator-context.tsx';
import { asProblem, type Problem } from '../client/problem.ts';
import { useAsk } from '../client/queries.ts';
import { clockTime } from '../design/format.ts';
import { useTitle } from '../design/use-title.ts';
import { BrandMark } from '../frame/brand-mark.tsx';
import { useHost } from '../host/host-context.tsx';
import { ConnectGateway } from './connect-gateway.tsx';
import classes from './log-in-screen.module.css';

export interface LogInScreenProps {
  /** Who was logged in here until now. */
  readonly ended: Operator | undefined;
  /** Why the code that came with the address let nobody in. */
  readonly fault: string | undefined;
  readonly onEntered: () => void;
}

/** The ways in: the identity provider where there is one, a code of the command line, the key of this device. */
export function LogInScreen({ ended, fault, onEntered }: LogInScreenProps) {
  const host = useHost();
  const { door } = host;
  const [location] = useLocation();
  const { data } = useAsk('login.provider', {});
  const [code, setCode] = useState('');
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState<'code' | 'key' | 'provider'>();
  const enter = (how: NonNullable<typeof busy>, way: Promise<void>) => {
    setBusy(how);
    setProblem(undefined);
    way.then(onEntered, (thrown: unknown) => setProblem(asProblem(thrown))).finally(() => setBusy(undefined));
  };
  const withCode = (event: SyntheticEvent) => {
    event.preventDefault();
    if (code.trim() !== '') enter('code', door.codeLogin(code));
  };
  useTitle(ended === undefined ? 'Log in' : 'Log in again');
  const expired = ended !== undefined && Date.parse(ended.expires) <= Date.now();
  const provider = data?.provider ?? null;
  return (
    <main className={classes.page}>
      <div className={classes.box}>
        <header>
          <BrandMark size={30} />
          <h1>{ended === undefined ? 'Log in to Sallyport' : 'Log in again'}</h1>
          {ended !== undefined && (
            <p className="muted" role="status">
              {expired
                ? `The log-in of ${ended.operator} ran out at ${clockTime(ended.expires)}.`
                : `The log-in of ${ended.operator} was ended.`}{' '}
              You come back to where you were.
            </p>
          )}
        </header>
        {(problem !== undefined || fault !== undefined) && (
          <div className={classes.fault} role="alert">
            <p>{problem?.message ?? fault}</p>
            <p className="muted">
              {problem === undefined ? 'A code is good once and for a short time. Have another one made.' : problem.remedy}
            </p>
          </div>
        )}
        {host.kind === 'desktop' && <ConnectGateway onChanged={onEntered} />}
        {provider !== null && (
          <Button size="sm" variant="filled" loading={busy === 'provider'} onClick={() => enter('provider', door.providerLogin(location))}>
            Log in with {new URL(provider.issuer).host}
          </Button>
        )}
        <form className={classes.code} onSubmit={withCode}>
          <TextInput
            label="Code, or the link with one"
            description={
              <>
                On the gateway’s machine, or wherever you are logged in on the command line: <span className="mono">sallyport console</span>
              </>
            }
            size="sm"
            autoComplete="off"
            spellCheck={false}
            autoFocus
            value={code}
            onChange={(event) => setCode(event.currentTarget.value)}
          />
          <Button size="sm" type="submit" variant={provider === null ? 'filled' : 'default'} loading={busy === 'code'}>
            Log in
          </Button>
        </form>
        <KeyLogIn known={ended?.operator} busy={busy === 'key'} enter={(operator) => enter('key', door.keyLogin(operator))} />
      </div>
    </main>
  );
}

/** Only offered where this device has a key. */
function KeyLogIn({ known, busy, enter }: { known: string | undefined; busy: boolean; enter: (operator: string) => void }) {
  const { signer } = useHost();
  const [operator, setOperator] = useState(known ?? '');
  const [there, setThere] = useState<boolean>();
  if (there === undefined)
    signer.key().then(
      (key) => setThere(key !== undefined),
      () => setThere(false),
    );
  if (there !== true) return null;
  return (
    <form
      className={classes.code}
      onSubmit={(event) => {
        event.preventDefault();
        if (operator.trim() !== '') enter(operator.trim());
      }}
    >
      <TextInput
        label="With the key of this device"
        description="Where it is registered for you"
        placeholder="you@example.com"
        size="sm"
        autoComplete="username"
        value={operator}
        onChange={(event) => setOperator(event.currentTarget.value)}
      />
      <Button size="sm" type="submit" loading={busy}>
        Use the key
      </Button>
    </form>
  );
}
