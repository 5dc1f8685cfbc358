import type { ReactNode } from 'react';

export function PaletteOpener({ className, children }: { className: string; children: ReactNode }) {
  return (
    <button type="button" className={className}>
      {children}
    </button>
  );
}
