import { Button, Textarea } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { Comparison } from '../../evidence/compare-checkpoint.ts';
import { day } from '../design/format.ts';
import { recallLog } from '../evidence/ledger-memory.ts';
import classes from './bundle.module.css';
import type { OpenedBundle } from './opened-bundle.ts';

const tones = { agrees: 'ok', contradicts: 'deny', 'cannot tell': 'ask' } as const;

/** A checkpoint that somebody kept is the one thing that no gateway can change afterwards. */
export function CheckpointForm({ bundle, ready, origin }: { bundle: OpenedBundle; ready: boolean; origin: string | undefined }) {
  const [text, setText] = useState('');
  const [comparison, setComparison] = useState<Comparison>();
  const compare = () => {
    setComparison(undefined);
    bundle.ask({ ask: 'compare', text }).then(setComparison, (thrown: unknown) =>
      setComparison({
        state: 'cannot tell',
        heading: 'It could not be compared',
        words: thrown instanceof Error ? thrown.message : String(thrown),
      }),
    );
  };
  const seen = useSeen(bundle, ready ? origin : undefined);
  return (
    <form
      className={classes.compare}
      onSubmit={(event) => {
        event.preventDefault();
        compare();
      }}
    >
      {seen !== undefined && (
        <>
          <p className="muted">This device has followed this log since {day(seen.since)}:</p>
          <Told comparison={seen.comparison} />
        </>
      )}
      <Textarea
        label="Compare with a checkpoint that you have"
        description="From the operator of the gateway, an earlier bundle or a witness. It shows that the log was not exchanged as a whole."
        placeholder={'gateway-1/…\n184402\nk9Q2…\n\n— gateway-1/… …'}
        autosize
        minRows={2}
        maxRows={8}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        spellCheck={false}
      />
      <Button type="submit" disabled={!ready || text.trim() === ''}>
        Compare
      </Button>
      {comparison !== undefined && <Told comparison={comparison} />}
    </form>
  );
}

function Told({ comparison: { state, heading, words } }: { comparison: Comparison }) {
  return (
    <p className={classes.comparison} data-tone={tones[state]} role="status">
      <b>{heading}.</b> {words}
    </p>
  );
}

/** Whoever has seen the gateway that wrote the bundle has a checkpoint of it that nobody can exchange any more. */
function useSeen(bundle: OpenedBundle, origin: string | undefined): { since: string; comparison: Comparison } | undefined {
  const [seen, setSeen] = useState<{ since: string; comparison: Comparison }>();
  useEffect(() => {
    const remembered = origin === undefined ? undefined : recallLog(localStorage, origin);
    if (remembered === undefined) return;
    const { checkpoint, since } = remembered;
    bundle.ask({ ask: 'compare', text: checkpoint }).then(
      (comparison) => setSeen({ since, comparison }),
      () => undefined, // The bundle was closed meanwhile.
    );
  }, [bundle, origin]);
  return seen;
}
