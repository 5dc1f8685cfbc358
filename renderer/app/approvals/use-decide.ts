import { useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import type { ApprovalVerdict } from '../../../contract/approval.ts';
import type { Approval } from '../../../contract/operator-api.ts';
import { ask } from '../client/ask.ts';
import { useOperator } from '../client/operator-context.tsx';
import { Problem } from '../client/problem.ts';
import { queryKey } from '../client/queries.ts';
import { useHost } from '../host/host-context.tsx';
import { isWhatItSays, webSha256 } from './check-request.ts';
import { reasonAgainstSigning } from './may-decide.ts';

export interface Decision {
  readonly verdict: ApprovalVerdict;
  readonly reason: string;
  /** What the reviewer has been shown, by `shownText`. */
  readonly shown: string;
}

/** Signs a decision on exactly what was shown, and gives it to the gateway. Throws a Problem, and signs nothing then. */
export function useDecide(): (approval: Approval, decision: Decision) => Promise<Approval> {
  const { transport, signer } = useHost();
  const { operator, origin: own } = useOperator();
  const client = useQueryClient();
  return useCallback(
    async (approval, { verdict, reason: words, shown }) => {
      const reason = words.trim();
      const against = reasonAgainstSigning(approval, { verdict, reason, shown, now: Date.now() });
      if (against !== undefined) throw new Problem(-1, 'APPROVAL_OVER', against);
      const { request, origin } = approval;
      if (origin !== own || !(await isWhatItSays(approval, webSha256))) throw mismatch();
      const signed = await signer.sign({ kind: 'approval', origin, request, decision: { verdict, reviewer: operator, reason } });
      try {
        const decided = await ask(transport, 'approval.decide', {
          approval: request.id,
          digest: request.digest,
          verdict,
          reason,
          ...signed,
        });
        client.setQueryData(queryKey('approval.show', { approval: request.id }), decided);
        return decided;
      } finally {
        // Also when it was refused: it may be over.
        for (const name of ['approval.list', 'approval.show', 'gateway.status'])
          void client.invalidateQueries({ queryKey: [name], refetchType: 'active' });
      }
    },
    [transport, signer, operator, own, client],
  );
}

export function mismatch(): Problem {
  return new Problem(
    -1,
    'GATEWAY_MISMATCH',
    'This request is not what it says: its digest is of something else than what is shown here.',
    'Nothing was signed. Look into the gateway before anybody decides anything.',
  );
}
