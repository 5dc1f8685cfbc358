import { useCallback, useEffect, useState } from 'react';
import type { ExportState } from '../../../contract/operations/audit.ts';
import type { OperationInput } from '../../../contract/operator-api.ts';
import { ask } from '../client/ask.ts';
import { asProblem, type Problem } from '../client/problem.ts';
import { useHost } from '../host/host-context.tsx';

/** How often it is asked how far a bundle is; there is no event of it. */
const ASK_MILLIS = 700;

export type ExportQuestion = Partial<OperationInput<'export.start'>>;

export interface Export {
  readonly state: ExportState | undefined;
  readonly problem: Problem | undefined;
  readonly starting: boolean;
  readonly start: (question: ExportQuestion) => void;
  /** Ends the writing and has the file deleted. */
  readonly cancel: () => void;
}

/** One bundle that the gateway writes, from the question to the file. */
export function useExport(): Export {
  const { transport } = useHost();
  const [state, setState] = useState<ExportState>();
  const [problem, setProblem] = useState<Problem>();
  const [starting, setStarting] = useState(false);
  const start = useCallback(
    (question: ExportQuestion) => {
      setState(undefined);
      setProblem(undefined);
      setStarting(true);
      ask(transport, 'export.start', question)
        .then(setState, (thrown: unknown) => setProblem(asProblem(thrown)))
        .finally(() => setStarting(false));
    },
    [transport],
  );
  const id = state?.export;
  const running = state?.state === 'running';
  useEffect(() => {
    if (id === undefined || !running) return undefined;
    let stop: () => void = () => undefined;
    let gone = false;
    const look = async (): Promise<void> => {
      try {
        const next = await ask(transport, 'export.show', { export: id });
        if (gone) return;
        setProblem(undefined);
        setState(next);
        if (next.state === 'running') again(ASK_MILLIS);
      } catch (thrown) {
        if (gone) return;
        const found = asProblem(thrown);
        setProblem(found);
        // A gateway that does not answer may again; anything else is the end of it.
        if (found.isUnreachable || found.status === 503 || found.status === 429) again(3 * ASK_MILLIS);
      }
    };
    const again = (millis: number) => {
      stop = transport.after(millis, () => void look());
    };
    again(ASK_MILLIS);
    return () => {
      gone = true;
      stop();
    };
  }, [transport, id, running]);
  const cancel = useCallback(() => {
    if (id === undefined) return;
    ask(transport, 'export.cancel', { export: id }).then(setState, (thrown: unknown) => setProblem(asProblem(thrown)));
  }, [transport, id]);
  return { state, problem, starting, start, cancel };
}
