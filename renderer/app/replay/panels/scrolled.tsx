import type { ReactNode } from 'react';
import { printable } from '../../../bundle-page/interface/printable.ts';
import classes from './panels.module.css';

/** Text in lines of its own, which scrolls; so the keyboard has to reach it. */
export function Scrolled({ label, lines = false, children }: { label: string; lines?: boolean; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is scrolled by the keyboard too
    <div role="region" className={`${lines ? classes.policy : classes.json} mono`} tabIndex={0} aria-label={label}>
      {children}
    </div>
  );
}

export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}
