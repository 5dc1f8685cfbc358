import type { ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import { useHasAnyRole } from '../client/operator-context.tsx';
import { Screen } from '../design/pane.tsx';
import { EmptyState } from '../design/states.tsx';
import { routes } from '../routes.ts';

/** Of two places somebody without a role has something: who they are, and bundles. Everything else would only be refused. */
const open: readonly string[] = [routes.settings, routes.bundle];

export function WithRole({ children }: { children: ReactNode }) {
  const mayLook = useHasAnyRole();
  const [location] = useLocation();
  if (mayLook || open.includes(location)) return children;
  return (
    <Screen label="No role">
      <EmptyState title="You have no role at this gateway">
        <p>You are logged in, and sessions, approvals and evidence are for reviewers, auditors and admins.</p>
        <p className="muted">
          Roles stand under <span className="mono">operator</span> of a person in the configuration, or come with a group of the identity
          provider. When you are given one, this place opens by itself.
        </p>
        <p>
          <Link href={routes.settings}>Who you are here</Link>
        </p>
        <p>
          <Link href={routes.bundle}>Open a bundle</Link>
        </p>
      </EmptyState>
    </Screen>
  );
}
