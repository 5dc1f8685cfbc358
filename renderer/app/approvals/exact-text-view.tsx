import { Fragment } from 'react';
import classes from './exact-text.module.css';
import { shellTokens } from './shell-words.ts';
import { oddities, visiblePieces } from './visible-text.ts';

/** The exact text of what is asked for. It is one text: colours add nothing to it, and hidden characters are shown by number. */
export function ExactTextView({ text, language, label }: { text: string; language: 'shell' | 'text'; label: string }) {
  const odd = oddities(text);
  const tokens = placed(language === 'shell' ? shellTokens(text) : [{ kind: 'word' as const, text }]);
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what is longer than its place is scrolled by keys */}
      <pre className={classes.text} tabIndex={0} role="group" aria-label={label}>
        {tokens.map((token) => (
          <span key={token.at} data-kind={token.kind}>
            <Visible text={token.text} exact />
          </span>
        ))}
      </pre>
      {odd.length > 0 && (
        <p className={classes.odd} role="note">
          Look closely: {odd.join('; ')}.
        </p>
      )}
    </>
  );
}

/** Words of others, with nothing hidden in them. `exact`: it is decided about, so what may be taken for something else is marked too. */
export function Visible({ text, exact = false }: { text: string; exact?: boolean }) {
  return placed(visiblePieces(text)).map(({ kind, text: shown, at }) =>
    kind === 'plain' || (kind === 'unusual' && !exact) ? (
      <Fragment key={at}>{shown}</Fragment>
    ) : (
      <span
        key={at}
        className={classes[kind]}
        title={kind === 'hidden' ? 'A character without a shape of its own' : `Not ASCII: ${numbersOf(shown)}`}
      >
        {shown}
      </span>
    ),
  );
}

/** Pieces of a text with where each stands in it, which is what tells them apart. */
function placed<T extends { readonly text: string }>(pieces: readonly T[]): (T & { readonly at: number })[] {
  let next = 0;
  return pieces.map((piece) => {
    const at = next;
    next += piece.text.length;
    return { ...piece, at };
  });
}

function numbersOf(text: string): string {
  return Array.from(
    text.slice(0, 24),
    (character) => `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`,
  ).join(' ');
}
