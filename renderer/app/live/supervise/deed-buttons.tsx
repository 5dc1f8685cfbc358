import { Button } from '@mantine/core';
import { useState } from 'react';
import { useHasRole } from '../../client/operator-context.tsx';
import { Key } from '../../design/labels.tsx';
import { useKeys } from '../../keyboard/use-keys.tsx';
import { DeedDialog, type Subject } from './deed-dialog.tsx';
import { type Deed, deeds, deedsFor } from './deeds.ts';
import classes from './supervise.module.css';

interface DeedButtonsProps {
  /** Undefined: nothing is selected, or it does not run any more. */
  readonly subject: Subject | undefined;
  readonly standing: { readonly paused: boolean; readonly stepping: boolean };
}

/** What can be done to a session, by click or key. Whoever may not is told so instead. */
export function DeedButtons({ subject, standing }: DeedButtonsProps) {
  const maySupervise = useHasRole('reviewer', 'admin');
  // The session stays the one that was meant when the dialog was opened, whatever is selected meanwhile.
  const [begun, setBegun] = useState<{ deed: Deed; subject: Subject }>();
  const offered = deedsFor(standing);
  const begin = (deed: Deed) => {
    if (subject !== undefined && begun === undefined) setBegun({ deed, subject });
  };
  useKeys(
    offered.map((deed) => ({ keys: [deeds[deed].key], label: deeds[deed].title, group: 'Live', run: () => begin(deed) })),
    maySupervise && subject !== undefined,
  );
  return (
    <>
      {maySupervise ? (
        <div className={classes.deeds}>
          {offered.map((deed) => (
            <Button
              key={deed}
              disabled={subject === undefined}
              {...(deeds[deed].grave ? { color: 'red', variant: 'outline' } : {})}
              rightSection={<Key>{deeds[deed].key.toUpperCase()}</Key>}
              onClick={() => begin(deed)}
            >
              {deeds[deed].name}
            </Button>
          ))}
        </div>
      ) : (
        <span className="muted">You may watch. Messages, pauses and ends take the role reviewer or admin.</span>
      )}
      {begun !== undefined && <DeedDialog deed={begun.deed} subject={begun.subject} onClose={() => setBegun(undefined)} />}
    </>
  );
}
