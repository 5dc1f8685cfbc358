import { Button, Textarea } from '@mantine/core';
import { useState } from 'react';
import type { Comparison } from '../../evidence/compare-checkpoint.ts';
import classes from './bundle.module.css';
import type { OpenedBundle } from './opened-bundle.ts';

const tones = { agrees: 'ok', contradicts: 'deny', 'cannot tell': 'ask' } as const;

/** A checkpoint that somebody kept is the one thing that no gateway can change afterwards. */
export function CheckpointForm({ bundle, ready }: { bundle: OpenedBundle; ready: boolean }) {
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
  return (
    <form
      className={classes.compare}
      onSubmit={(event) => {
        event.preventDefault();
        compare();
      }}
    >
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
      {comparison !== undefined && (
        <p className={classes.comparison} data-tone={tones[comparison.state]} role="status">
          <b>{comparison.heading}.</b> {comparison.words}
        </p>
      )}
    </form>
  );
}
