import type { ReactNode } from 'react';
import classes from './pane.module.css';
import { useTitle } from './use-title.ts';

/** A screen: a bar on top and a body that fills the rest. `label` is its heading for whoever hears it, and the window's title. */
export function Screen({ label, bar, children }: { label: string; bar?: ReactNode; children: ReactNode }) {
  useTitle(label);
  return (
    <section className={classes.screen} aria-label={label}>
      <h1 className="heard">{label}</h1>
      {bar !== undefined && <div className={classes.bar}>{bar}</div>}
      {children}
    </section>
  );
}

/** Pushes what follows in a bar to its end. */
export function Spring() {
  return <span className={classes.spring} />;
}

/** Main content and a panel beside it. */
export function Split({ children, side, sideLabel }: { children: ReactNode; side: ReactNode; sideLabel: string }) {
  return (
    <div className={classes.split}>
      <div className={classes.main}>{children}</div>
      <aside className={classes.side} aria-label={sideLabel}>
        {side}
      </aside>
    </div>
  );
}

/** Names and what they are. */
export function Facts({ facts }: { facts: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <dl className={classes.facts}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
