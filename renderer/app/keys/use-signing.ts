import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useState } from 'react';
import type { SignedStatement } from '../../../contract/signed-statements.ts';
import { ask } from '../client/ask.ts';
import { useOperator } from '../client/operator-context.tsx';
import type { SigningKey } from '../host/host.ts';
import { useHost } from '../host/host-context.tsx';
import { registerableMillis, type SigningState, signingState } from './signing-state.ts';

const DEVICE_KEY = ['signing-key-of-this-device'];

export interface Signing {
  readonly state: SigningState;
  /** The key of this device, registered or not. */
  readonly key: SigningKey | undefined;
  /** Whether this log-in may register a key: it may for some minutes after it was made. */
  readonly mayRegister: boolean;
  /** Why there is none, with the state `unavailable`. */
  readonly fault: string | undefined;
  /** Signs with the key of this device. Throws NoSigningKey. */
  readonly sign: (statement: SignedStatement) => Promise<{ readonly key: string; readonly signature: string }>;
  /** Makes a key where there is none, and registers it. Throws a Problem; a key that was made stays, and can be registered later. */
  readonly register: (label: string) => Promise<SigningKey>;
  /** Takes the key away from this device. What it signed stays signed. */
  readonly forget: () => Promise<void>;
}

/** The operator's signing key on this device, and whether the gateway knows it. */
export function useSigning(): Signing {
  const { signer, transport } = useHost();
  const { keys, login, mayAddKey, operator, origin } = useOperator();
  const client = useQueryClient();
  const device = useQuery<SigningKey | null>({
    queryKey: DEVICE_KEY,
    // No answer of a query may be undefined.
    queryFn: async () => (await signer.key()) ?? null,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  const key = device.data ?? undefined;
  const mayRegister = useIsStill(mayAddKey);
  const register = useCallback(
    async (label: string) => {
      const made = (await signer.key()) ?? (await signer.create());
      client.setQueryData(DEVICE_KEY, made);
      const { signature } = await signer.sign({ kind: 'key', origin, operator, key: made.line, login });
      await ask(transport, 'key.add', { key: made.line, label, signature });
      await Promise.all([client.invalidateQueries({ queryKey: ['whoami'] }), client.invalidateQueries({ queryKey: ['key.list'] })]);
      return made;
    },
    [signer, transport, client, origin, operator, login],
  );
  const forget = useCallback(async () => {
    await signer.forget();
    client.setQueryData(DEVICE_KEY, null);
  }, [signer, client]);
  const sign = useCallback((statement: SignedStatement) => signer.sign(statement), [signer]);
  return {
    state: signingState({ key, isLooking: device.isPending, hasFailed: device.isError }, keys),
    key,
    mayRegister,
    fault: device.error?.message,
    sign,
    register,
    forget,
  };
}

/** Whether it is still before this time; changes by itself when it is not any more. */
function useIsStill(time: string | null): boolean {
  const [now, setNow] = useState(() => Date.now());
  const left = registerableMillis(time, now);
  useEffect(() => {
    if (left === 0) return undefined;
    const timer = window.setTimeout(() => setNow(Date.now()), left + 1);
    return () => window.clearTimeout(timer);
  }, [left]);
  return left > 0;
}
