import { lazy, Suspense } from 'react';
import { Link, Redirect, Route, Switch } from 'wouter';
import { ApprovalNotifier } from '../approvals/approval-notifier.tsx';
import { Screen } from '../design/pane.tsx';
import { EmptyState, LoadingState } from '../design/states.tsx';
import { routes } from '../routes.ts';
import { Boundary } from './boundary.tsx';
import classes from './frame.module.css';
import { KeyHelp } from './key-help.tsx';
import { Rail } from './rail.tsx';
import { StatusBar } from './status-bar.tsx';
import { TopBar } from './top-bar.tsx';
import { WithRole } from './with-role.tsx';

const screens = {
  live: lazy(() => import('../live/live-screen.tsx').then(({ LiveScreen }) => ({ default: LiveScreen }))),
  approvals: lazy(() => import('../approvals/approvals-screen.tsx').then(({ ApprovalsScreen }) => ({ default: ApprovalsScreen }))),
  sessions: lazy(() => import('../sessions/sessions-screen.tsx').then(({ SessionsScreen }) => ({ default: SessionsScreen }))),
  replay: lazy(() => import('../replay/replay-screen.tsx').then(({ ReplayScreen }) => ({ default: ReplayScreen }))),
  search: lazy(() => import('../search/search-screen.tsx').then(({ SearchScreen }) => ({ default: SearchScreen }))),
  evidence: lazy(() => import('../evidence/evidence-screen.tsx').then(({ EvidenceScreen }) => ({ default: EvidenceScreen }))),
  bundle: lazy(() => import('../bundle/bundle-screen.tsx').then(({ BundleScreen }) => ({ default: BundleScreen }))),
  settings: lazy(() => import('../settings/settings-screen.tsx').then(({ SettingsScreen }) => ({ default: SettingsScreen }))),
};

/** The window: where one can go, where one is, and how the gateway stands. */
export function Frame() {
  return (
    <div className={classes.frame}>
      <TopBar />
      <Rail />
      <main className={classes.main}>
        <Boundary>
          <Suspense fallback={<LoadingState />}>
            <WithRole>
              <Switch>
                <Route path="/">
                  <Redirect to={routes.sessions} replace />
                </Route>
                <Route path="/live/:session?">{({ session }) => <screens.live session={session} />}</Route>
                <Route path="/approvals/:approval?">{({ approval }) => <screens.approvals approval={approval} />}</Route>
                <Route path="/sessions">
                  <screens.sessions />
                </Route>
                <Route path="/session/:session">{({ session }) => <screens.replay key={session} session={session} />}</Route>
                <Route path="/search">
                  <screens.search />
                </Route>
                <Route path="/evidence">
                  <screens.evidence />
                </Route>
                <Route path="/bundle">
                  <screens.bundle />
                </Route>
                <Route path="/settings">
                  <screens.settings />
                </Route>
                <Route>
                  <Screen label="Nothing here">
                    <EmptyState title="There is nothing at this address">
                      <p className="muted">The link may be of another version, or was cut off when it was copied.</p>
                      <p>
                        <Link href={routes.sessions}>All sessions</Link>
                      </p>
                    </EmptyState>
                  </Screen>
                </Route>
              </Switch>
            </WithRole>
          </Suspense>
        </Boundary>
      </main>
      <StatusBar />
      <ApprovalNotifier />
      <KeyHelp />
    </div>
  );
}
