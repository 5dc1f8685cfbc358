import { Button } from '@mantine/core';
import { useState } from 'react';
import { useHost } from '../host/host-context.tsx';
import classes from './keys.module.css';

/** A key's name as `ssh-keygen -l` prints it, to be compared and copied. */
export function Fingerprint({ value }: { value: string }) {
  const host = useHost();
  const [told, setTold] = useState<'copied' | 'not copied'>();
  return (
    <div className={classes.fingerprint}>
      <code className="mono">{value}</code>
      <Button
        size="compact-xs"
        onClick={() =>
          void host.copy(value).then(
            () => setTold('copied'),
            () => setTold('not copied'),
          )
        }
      >
        {told === undefined ? 'Copy' : told === 'copied' ? 'Copied' : 'Select it and copy'}
      </Button>
    </div>
  );
}
