import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { asProblem } from '../client/problem.ts';
import type { Host } from '../host/host.ts';
import { useHost } from '../host/host-context.tsx';
import { forget, type Judgement, judge, recall, remember, type Shown } from './ledger-memory.ts';

export interface SeenLedger {
  readonly judgement: Judgement | undefined;
  /** When it was first seen here. */
  readonly since: string | undefined;
  /** Takes what the gateway shows as the truth from now on. */
  readonly accept: () => void;
}

const QUESTION = 'ledger-memory';

/** Holds each checkpoint that the gateway shows against the last one that this device has seen; once, whoever asks. */
export function useConsistency(shown: Shown | undefined): SeenLedger {
  const host = useHost();
  const client = useQueryClient();
  const { checkpoint = '', key = '' } = shown ?? {};
  const found = useQuery({
    queryKey: [QUESTION, checkpoint, key],
    queryFn: () => look(host, { checkpoint, key }),
    enabled: shown !== undefined,
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  const accept = useCallback(() => {
    void gatewayOf(host).then((gateway) => {
      forget(localStorage, gateway);
      return client.invalidateQueries({ queryKey: [QUESTION] });
    });
  }, [host, client]);
  const judgement: Judgement | undefined =
    found.error === null
      ? found.data?.judgement
      : { state: 'unproved', words: `It could not be compared with what was seen here: ${asProblem(found.error).message}` };
  return { judgement, since: found.data?.since, accept };
}

async function look(host: Host, shown: Shown): Promise<{ judgement: Judgement; since: string | undefined }> {
  const gateway = await gatewayOf(host);
  const seen = recall(localStorage, gateway);
  const { transport } = host;
  const tile = transport.bytes === undefined ? undefined : (path: string) => bytesOf(host, `/ledger/${path}`);
  const judgement = await judge(shown, seen, tile, new Date().toISOString());
  if (!('remember' in judgement)) return { judgement, since: seen?.since };
  remember(localStorage, gateway, judgement.remember);
  return { judgement, since: judgement.remember.since };
}

/** What is remembered is remembered of an address: behind it there may suddenly be another log. */
async function gatewayOf({ door }: Host): Promise<string> {
  return (await door.gateways()).find((each) => each.current)?.origin ?? 'here';
}

function bytesOf({ transport }: Host, path: string): Promise<Uint8Array> {
  return transport.bytes?.(path) ?? Promise.reject(new TypeError('this host brings text alone'));
}
