import { useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { ask } from '../../client/ask.ts';
import { useHost } from '../../host/host-context.tsx';
import { type Deed, doneWords } from './deeds.ts';

/** Does it, and says what came of it once it is on record. Throws a Problem. */
export function useSupervise(): (deed: Deed, session: string, words: string) => Promise<string> {
  const { transport } = useHost();
  const client = useQueryClient();
  return useCallback(
    async (deed, session, words) => {
      const reason = words.trim();
      try {
        switch (deed) {
          case 'message':
            return doneWords(deed, (await ask(transport, 'session.message', { session, text: reason })).shown);
          case 'pause':
            await ask(transport, 'session.pause', { session, reason });
            break;
          case 'resume':
            await ask(transport, 'session.resume', { session, reason });
            break;
          case 'step':
          case 'unstep':
            await ask(transport, 'session.step', { session, on: deed === 'step', reason });
            break;
          case 'terminate':
            await ask(transport, 'session.terminate', { session, reason });
        }
        return doneWords(deed, undefined);
      } finally {
        for (const name of ['session.show', 'session.list']) void client.invalidateQueries({ queryKey: [name] });
      }
    },
    [transport, client],
  );
}
