import type { OperationOutput } from '../../contract/operator-api.ts';
import type { SallyportError } from '../base/errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LiveSessions } from '../session/live-sessions.ts';
import type { Performers } from './operations.ts';

export interface StatusParts {
  readonly gateway: { readonly name: string; readonly version: string; readonly started: string };
  readonly ledger: Pick<Ledger, 'head' | 'key'>;
  readonly live: Pick<LiveSessions, 'size'>;
  readonly listeners: () => readonly { readonly protocol: string; readonly address: string }[];
  readonly approvalsWaiting: () => number;
  readonly policySet: () => string;
  /** Hash of the configuration in force. */
  readonly configuration: () => string;
  /** Throws when the next one has a fault; then the one in force stays. */
  readonly reload: () => Promise<void>;
  readonly unready: () => SallyportError | undefined;
}

export function statusOperations(parts: StatusParts): Pick<Performers, 'gateway.status' | 'config.reload'> {
  return {
    'gateway.status': () => status(parts),
    'config.reload': async () => {
      await parts.reload();
      return { configuration: parts.configuration(), policySet: parts.policySet() };
    },
  };
}

async function status(parts: StatusParts): Promise<OperationOutput<'gateway.status'>> {
  const { gateway, ledger, live } = parts;
  const unready = parts.unready();
  return {
    ...gateway,
    origin: ledger.key.name,
    listeners: parts.listeners().map(({ protocol, address }) => ({ protocol, address })),
    sessions: live.size,
    approvalsWaiting: parts.approvalsWaiting(),
    policySet: parts.policySet(),
    configuration: parts.configuration(),
    ledger: { size: ledger.head.size, checkpoint: ledger.head.note },
    ready: unready === undefined,
    ...(unready === undefined ? {} : { unready: unready.message }),
  };
}
