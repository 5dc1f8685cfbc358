import type { ReactNode } from 'react';
import classes from './card.module.css';

/** A part of a page of settings or of a form: what it is about, and its content. */
export function Card({ title, says, children }: { title: string; says?: ReactNode; children: ReactNode }) {
  return (
    <section className={classes.card} aria-label={title}>
      <header>
        <h2>{title}</h2>
        {says !== undefined && <p className="muted">{says}</p>}
      </header>
      {children}
    </section>
  );
}
