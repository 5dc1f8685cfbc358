import { Button } from '@mantine/core';
import { useState } from 'react';
import classes from './keys.module.css';
import { MakeKeyDialog } from './make-key-dialog.tsx';
import { useSigning } from './use-signing.ts';

/** Where something is to be signed and this device cannot: says so and leads to a key. Nothing where it can. `what`: "A decision". */
export function SigningNotice({ what }: { what: string }) {
  const { state } = useSigning();
  const [opened, setOpened] = useState(false);
  const quiet = state === 'ready' || state === 'looking';
  if (quiet && !opened) return null;
  return (
    <>
      {!quiet && (
        <div className={classes.notice} role="status">
          <span>
            {what} is signed with a key of yours, and{' '}
            {state === 'none'
              ? 'this device has none yet.'
              : state === 'unregistered'
                ? 'the one on this device is not registered for you.'
                : 'this device keeps none.'}
          </span>
          <Button size="compact-sm" onClick={() => setOpened(true)}>
            {state === 'none' ? 'Make a signing key…' : state === 'unregistered' ? 'Register it…' : 'Why…'}
          </Button>
        </div>
      )}
      <MakeKeyDialog opened={opened} onClose={() => setOpened(false)} />
    </>
  );
}
