import { Button, Textarea } from '@mantine/core';
import { type SyntheticEvent, useEffect, useRef, useState } from 'react';
import type { OperationOutput } from '../../../contract/operator-api.ts';
import { printable } from '../../bundle-page/interface/printable.ts';
import type { Problem } from '../client/problem.ts';
import { useDo } from '../client/queries.ts';
import { ago, length, number, utc } from '../design/format.ts';
import { Tell } from '../design/labels.tsx';
import { FaultState, LoadingState } from '../design/states.tsx';
import classes from './review.module.css';
import { shareWords } from './share-words.ts';
import { SignOffs } from './sign-offs.tsx';

export type Review = OperationOutput<'review.show'>;

export interface ReviewPanelProps {
  readonly session: string;
  readonly channel: number | undefined;
  readonly review: Review | undefined;
  readonly problem: Problem | null;
  readonly retry: () => void;
  /** Counts how often a note was asked for. */
  readonly noting: number;
  /** The moment that is shown, microseconds. */
  readonly here: () => number;
  readonly go: (channel: number, at: number) => void;
  readonly signOff: () => void;
}

/** What people made of the session: notes on its moments, who has signed it off, and how much of it was watched. */
export function ReviewPanel({ session, channel, review, problem, retry, noting, here, go, signOff }: ReviewPanelProps) {
  if (review === undefined)
    return problem === null ? <LoadingState what="Reading the review" /> : <FaultState problem={problem} retry={retry} />;
  const { notes, signOffs, watched, nanos, yours } = review;
  return (
    <div className={classes.panel}>
      <section className={classes.section}>
        <h2>Sign-offs</h2>
        <SignOffs signOffs={signOffs} />
        <div className={classes.act}>
          <Button onClick={signOff} disabled={!yours.may}>
            Sign off…
          </Button>
          {yours.why !== undefined && <span className="muted">{yours.why}</span>}
        </div>
      </section>
      <section className={classes.section}>
        <h2>Watched</h2>
        {watched.length === 0 && <p className="muted">Nobody has watched any of it yet.</p>}
        {watched.map(({ operator, nanos: seen }) => (
          <div key={operator} className={classes.watched}>
            <span>{operator}</span>
            <span className="muted">{shareWords(seen, nanos)}</span>
            <meter min={0} max={Math.max(1, nanos)} value={seen} aria-label={`Watched by ${operator}`} />
          </div>
        ))}
      </section>
      <section className={`${classes.section} ${classes.notes}`}>
        <h2>Notes</h2>
        {channel !== undefined && <NewNote key={noting} session={session} channel={channel} here={here} focus={noting > 0} />}
        {notes.length === 0 && <p className="muted">None yet. N puts one on the moment that is shown.</p>}
        <ol>
          {notes
            .toSorted((a, b) => a.channel - b.channel || a.at - b.at)
            .map(({ note, channel: on, at, text, by, time }) => (
              <li key={note}>
                <button type="button" onClick={() => go(on, at / 1000)}>
                  <span className="mono">{length(at / 1000, true)}</span>
                  {on !== channel && <span className="faint">channel {number(on)}</span>}
                  <span className="faint" title={utc(time)}>
                    {by}, {ago(time)}
                  </span>
                </button>
                <p>{text.split('\n').map(printable).join('\n')}</p>
              </li>
            ))}
        </ol>
      </section>
    </div>
  );
}

function NewNote({ session, channel, here, focus }: { session: string; channel: number; here: () => number; focus: boolean }) {
  const note = useDo('review.note', ['review.show', 'session.records']);
  const field = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState('');
  // It is about the moment at which it was begun, however long it takes to write.
  const [at, setAt] = useState<number>();
  useEffect(() => {
    if (focus) field.current?.focus();
  }, [focus]);
  const put = (event?: SyntheticEvent) => {
    event?.preventDefault();
    if (text.trim() === '' || note.isPending) return;
    note.mutate(
      { session, channel, at: Math.round((at ?? here()) * 1000), text },
      {
        onSuccess: () => {
          setText('');
          setAt(undefined);
        },
      },
    );
  };
  return (
    <form onSubmit={put} className={classes.form}>
      <Textarea
        ref={field}
        aria-label="A note on this moment"
        placeholder={`A note on ${at === undefined ? 'this moment' : length(at, true)}`}
        autosize
        minRows={1}
        maxRows={8}
        maxLength={4000}
        value={text}
        onFocus={() => setAt((before) => (text === '' ? here() : (before ?? here())))}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) put();
          if (event.key === 'Escape') field.current?.blur();
        }}
      />
      <Button type="submit" loading={note.isPending} disabled={text.trim() === ''}>
        Add{at === undefined ? '' : ` at ${length(at, true)}`}
      </Button>
      {note.error !== null && (
        <p role="alert">
          <Tell tone="deny">{note.error.message}</Tell>
        </p>
      )}
    </form>
  );
}
