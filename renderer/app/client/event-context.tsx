import { useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import type { OperationName } from '../../../contract/operator-api.ts';
import type { OperatorEvent } from '../../../contract/operator-events.ts';
import { useHost } from '../host/host-context.tsx';
import { changedBy } from './changed-answers.ts';
import { type Connection, EventStream } from './event-stream.ts';
import { useHasAnyRole } from './operator-context.tsx';

const EventContext = createContext<EventStream | undefined>(undefined);

/** Answers that several events make old are asked for once. */
const GATHER_MILLIS = 120;

/** Follows the gateway's events, and asks anew what they have changed. */
export function EventProvider({ children }: { children: ReactNode }) {
  const { transport } = useHost();
  const client = useQueryClient();
  const [stream] = useState(() => new EventStream(transport));
  const mayListen = useHasAnyRole();
  useEffect(() => {
    const changed = new Set<OperationName>();
    let waiting: number | undefined;
    const tell = () => {
      waiting = undefined;
      for (const name of changed) void client.invalidateQueries({ queryKey: [name] });
      changed.clear();
    };
    const stopEvents = stream.onEvent((event) => {
      const names = changedBy(event);
      if (names === 'everything') void client.invalidateQueries();
      else for (const name of names) changed.add(name);
      waiting ??= window.setTimeout(tell, GATHER_MILLIS);
    });
    let before = stream.state;
    const stopConnections = stream.onConnection(() => {
      // Whatever happened meanwhile was not told.
      if (before === 'lost' && stream.state === 'up') void client.invalidateQueries();
      before = stream.state;
    });
    // It may be that nobody is logged in any more.
    const stopFailures = stream.onFailure(() => void client.invalidateQueries({ queryKey: ['whoami'] }));
    if (mayListen) stream.start();
    return () => {
      window.clearTimeout(waiting);
      stopEvents();
      stopConnections();
      stopFailures();
      stream.stop();
    };
  }, [client, stream, mayListen]);
  return <EventContext value={stream}>{children}</EventContext>;
}

export function useEvents(): EventStream {
  const stream = useContext(EventContext);
  if (stream === undefined) throw new TypeError('no events are provided');
  return stream;
}

export function useConnection(): Connection {
  const stream = useEvents();
  return useSyncExternalStore(stream.onConnection, () => stream.state);
}

export function useOnEvent(listener: (event: OperatorEvent) => void): void {
  const stream = useEvents();
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => stream.onEvent((event) => latest.current(event)), [stream]);
}
