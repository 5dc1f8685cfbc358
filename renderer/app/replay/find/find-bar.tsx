import { ActionIcon, TextInput } from '@mantine/core';
import { IconChevronDown, IconChevronUp, IconX } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { printable } from '../../../bundle-page/interface/printable.ts';
import { length, number } from '../../design/format.ts';
import { useKeys } from '../../keyboard/use-keys.tsx';
import classes from './find.module.css';
import type { Found, Hit } from './use-find.ts';

/** Typing stops for so long before it is looked for: each search is a record. */
const TYPED_MILLIS = 450;

/** Finds words that stood on this channel's screen, and goes from one to the next. */
export function FindBar({
  found,
  at,
  opened,
  find,
  go,
  close,
}: {
  found: Found;
  /** Which of the hits is shown; -1 for none. */
  at: number;
  /** Counts how often it was called for: the field takes the focus again. */
  opened: number;
  find: (words: string) => void;
  go: (to: number) => void;
  close: () => void;
}) {
  const field = useRef<HTMLInputElement>(null);
  const [words, setWords] = useState(found.words);
  const typing = useRef<number>(undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each time it is called for
  useEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, [opened]);
  useEffect(() => () => window.clearTimeout(typing.current), []);
  const { hits, searching, problem, more, unindexed } = found;
  const step = (by: number) => {
    if (hits.length > 0) go((Math.max(at, by > 0 ? -1 : 0) + by + hits.length) % hits.length);
  };
  const search = () => {
    window.clearTimeout(typing.current);
    if (words.trim() !== found.words.trim()) find(words);
  };
  useKeys([{ keys: ['Escape'], label: 'Close the search', group: 'Replay', inFields: true, run: close }]);
  return (
    <section className={classes.find} aria-label="Find in this recording">
      <div className={classes.bar}>
        <TextInput
          ref={field}
          className={classes.field ?? ''}
          aria-label="Find in this recording"
          placeholder="Find on this screen, whenever it was there"
          value={words}
          spellCheck={false}
          onChange={({ currentTarget: { value } }) => {
            setWords(value);
            window.clearTimeout(typing.current);
            typing.current = window.setTimeout(() => find(value), TYPED_MILLIS);
          }}
          onKeyDown={(event) => {
            if (event.key !== 'Enter') return;
            event.preventDefault();
            if (words.trim() === found.words.trim()) step(event.shiftKey ? -1 : 1);
            else search();
          }}
        />
        <span className={classes.count} role="status">
          {problem === undefined ? countOf(found, at) : ''}
        </span>
        <ActionIcon variant="subtle" aria-label="Previous hit" disabled={hits.length === 0} onClick={() => step(-1)}>
          <IconChevronUp size={16} />
        </ActionIcon>
        <ActionIcon variant="subtle" aria-label="Next hit" disabled={hits.length === 0} onClick={() => step(1)}>
          <IconChevronDown size={16} />
        </ActionIcon>
        <ActionIcon variant="subtle" aria-label="Close the search" onClick={close}>
          <IconX size={16} />
        </ActionIcon>
      </div>
      {problem !== undefined && (
        <p className={classes.problem} role="alert">
          {problem.message} {problem.remedy}
        </p>
      )}
      {unindexed > 0 && <p className={classes.hint}>{number(unindexed)} parts of this recording cannot be searched yet.</p>}
      {hits.length > 0 && (
        <ol className={classes.hits}>
          {around(hits, at).map(([hit, index]) => (
            <li key={`${hit.first}:${index}`}>
              <button type="button" aria-current={index === at || undefined} onClick={() => go(index)}>
                <span className="faint mono">{length(hit.first, true)}</span>
                <HitLine hit={hit} />
              </button>
            </li>
          ))}
        </ol>
      )}
      {!searching && problem === undefined && found.words !== '' && hits.length === 0 && (
        <p className={classes.hint}>Nothing like this stood on this screen. A running channel can be searched a minute later.</p>
      )}
      {more && <p className={classes.hint}>There are more; the first {number(hits.length)} that were found are shown.</p>}
    </section>
  );
}

function HitLine({ hit: { line, matches } }: { hit: Hit }) {
  const [from, to] = matches[0] ?? [0, 0];
  const begin = Math.max(0, from - 24);
  return (
    <span className={`${classes.line} mono`}>
      {begin > 0 && '…'}
      {printable(line.slice(begin, from))}
      <mark>{printable(line.slice(from, to))}</mark>
      {printable(line.slice(to, to + 300))}
    </span>
  );
}

function countOf({ words, hits, searching, more }: Found, at: number): string {
  if (words === '') return '';
  if (hits.length === 0) return searching ? 'searching…' : 'not found';
  return `${at < 0 ? '' : `${number(at + 1)} of `}${number(hits.length)}${searching || more ? '+' : ''}`;
}

const LISTED = 7;

/** Some hits around the one that is shown, with their places. */
function around(hits: readonly Hit[], at: number): [Hit, number][] {
  const first = Math.max(0, Math.min(hits.length - LISTED, at - Math.floor(LISTED / 2)));
  return hits.slice(first, first + LISTED).map((hit, index) => [hit, first + index]);
}
