import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import { EventProvider } from '../client/event-context.tsx';
import { type Operator, OperatorContext } from '../client/operator-context.tsx';
import { asProblem } from '../client/problem.ts';
import { useAsk } from '../client/queries.ts';
import { FaultState, LoadingState } from '../design/states.tsx';
import { ConnectGateway } from '../first-run/connect-gateway.tsx';
import { LogInScreen } from '../first-run/log-in-screen.tsx';
import { useHost } from '../host/host-context.tsx';
import { routes } from '../routes.ts';
import { useBundlesAtHand, WithBundleDoor, WithoutGateway } from './without-gateway.tsx';

/** How often it is asked whether the log-in is still good: an end of it is told by no event. */
const WHO_MILLIS = 20_000;

/** Lets in whoever is logged in, and shows everybody else how to. A log-in that ends leaves the place where it ended. */
export function Gate({ children }: { children: ReactNode }) {
  const { door, kind } = useHost();
  const [location] = useLocation();
  const client = useQueryClient();
  const [code, setCode] = useState(() => door.takeCode());
  const [codeFault, setCodeFault] = useState<string>();
  const who = useAsk('whoami', {}, { enabled: code === undefined, refetchMillis: WHO_MILLIS, staleMillis: 0 });
  const before = useRef<Operator>(undefined);
  const entering = useRef(false);
  useBundlesAtHand();
  useEffect(() => {
    if (code === undefined || entering.current) return;
    entering.current = true;
    door
      .codeLogin(code)
      .catch((thrown: unknown) => setCodeFault(asProblem(thrown).message))
      .finally(() => setCode(undefined));
  }, [code, door]);
  // Any refusal for want of a log-in means that it has ended, whichever question it was the answer to.
  useEffect(
    () =>
      client.getQueryCache().subscribe(({ type, query }) => {
        const isWho = query.queryHash.startsWith('["whoami"');
        if (type !== 'updated' || isWho) return;
        if (query.state.status === 'error' && asProblem(query.state.error).isLoggedOut)
          void client.invalidateQueries({ queryKey: ['whoami'] });
      }),
    [client],
  );
  if (code !== undefined) return <LoadingState what="Logging in" />;
  const loggedOut = who.error?.isLoggedOut === true;
  if (who.data !== undefined && !loggedOut) {
    before.current = who.data;
    return (
      <OperatorContext value={who.data}>
        <EventProvider>{children}</EventProvider>
      </OperatorContext>
    );
  }
  // The first question that stays unanswered is enough: a bundle needs nobody's answer.
  if (location === routes.bundle && (loggedOut || who.failureCount > 0)) return <WithoutGateway reachable={loggedOut} />;
  if (loggedOut)
    return (
      <WithBundleDoor>
        <LogInScreen ended={before.current} fault={codeFault} onEntered={() => void client.resetQueries()} />
      </WithBundleDoor>
    );
  if (who.error !== null)
    return (
      <WithBundleDoor>
        <FaultState problem={who.error} retry={() => void who.refetch()} />
        {kind === 'desktop' && <ConnectGateway onChanged={() => void client.resetQueries()} />}
      </WithBundleDoor>
    );
  return <LoadingState />;
}
