import { useCallback, useEffect, useRef, useState } from 'react';
import { asProblem } from '../client/problem.ts';
import type { HostTransport } from '../host/host.ts';
import { useHost } from '../host/host-context.tsx';
import { forget, type Judgement, judge, recall, remember, type Shown } from './ledger-memory.ts';

export interface SeenLedger {
  readonly judgement: Judgement | undefined;
  /** When it was first seen here. */
  readonly since: string | undefined;
  /** Takes what the gateway shows as the truth from now on. */
  readonly accept: () => void;
}

/** Holds each checkpoint that the gateway shows against the last one that this device has seen. */
export function useConsistency(shown: Shown | undefined): SeenLedger {
  const host = useHost();
  const [judgement, setJudgement] = useState<Judgement>();
  const [since, setSince] = useState<string>();
  const [accepted, setAccepted] = useState(0);
  const gateway = useRef<string>(undefined);
  const { checkpoint, key } = shown ?? {};
  // `accepted`: again, after what was remembered is forgotten.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  useEffect(() => {
    if (checkpoint === undefined || key === undefined) return undefined;
    let gone = false;
    const look = async (): Promise<void> => {
      const current = (await host.door.gateways()).find((each) => each.current);
      gateway.current = current?.origin ?? 'here';
      const seen = recall(localStorage, gateway.current);
      const { transport } = host;
      const tile = transport.bytes === undefined ? undefined : async (path: string) => fetched(transport, `/ledger/${path}`);
      const found = await judge({ checkpoint, key }, seen, tile, new Date().toISOString());
      if (gone) return;
      if ('remember' in found) {
        remember(localStorage, gateway.current, found.remember);
        setSince(found.remember.since);
      } else setSince(seen?.since);
      setJudgement(found);
    };
    look().catch((thrown: unknown) => {
      if (!gone)
        setJudgement({ state: 'unproved', words: `It could not be compared with what was seen here: ${asProblem(thrown).message}` });
    });
    return () => {
      gone = true;
    };
  }, [host, checkpoint, key, accepted]);
  const accept = useCallback(() => {
    if (gateway.current !== undefined) forget(localStorage, gateway.current);
    setAccepted((before) => before + 1);
  }, []);
  return { judgement, since, accept };
}

function fetched(transport: HostTransport, path: string): Promise<Uint8Array> {
  return transport.bytes?.(path) ?? Promise.reject(new TypeError('this host brings text alone'));
}
