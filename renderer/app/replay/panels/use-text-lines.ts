import { useCallback, useEffect, useRef, useState } from 'react';
import { ask } from '../../client/ask.ts';
import { asProblem, type Problem } from '../../client/problem.ts';
import { useHost } from '../../host/host-context.tsx';

export interface TextLine {
  readonly key: string;
  /** When it was first seen, microseconds. */
  readonly at: number;
  readonly text: string;
}

export interface TextLines {
  readonly lines: readonly TextLine[];
  readonly loading: boolean;
  /** There are no more. */
  readonly over: boolean;
  /** Not everything that is recorded is read yet. */
  readonly complete: boolean;
  readonly problem: Problem | undefined;
}

const PAGE = 1000;
/** Beyond this, nobody reads on: they go to where they want to read. */
const MOST_LINES = 50_000;
const nothing: TextLines = { lines: [], loading: false, over: false, complete: true, problem: undefined };

/** What stood on the screen of a channel, line by line, from a moment on; more of it when it is wanted. */
export function useTextLines(session: string, channel: number, from: number): { text: TextLines; more: () => void } {
  const { transport } = useHost();
  const [text, setText] = useState<TextLines>(nothing);
  const reading = useRef<{ cursor: string | undefined; busy: boolean; over: boolean; lines: TextLine[] }>(undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another channel or moment is another text
  useEffect(() => {
    reading.current = { cursor: undefined, busy: false, over: false, lines: [] };
    setText(nothing);
    return () => {
      reading.current = undefined;
    };
  }, [session, channel, from]);
  const more = useCallback(() => {
    const mine = reading.current;
    if (mine === undefined || mine.busy || mine.over) return;
    mine.busy = true;
    setText((before) => ({ ...before, loading: true, problem: undefined }));
    ask(transport, 'recording.text', { session, channel, limit: PAGE, from, ...(mine.cursor === undefined ? {} : { cursor: mine.cursor }) })
      .then(({ lines, cursor, complete }) => {
        if (mine !== reading.current) return;
        for (const { first, text: line } of lines) mine.lines.push({ key: String(mine.lines.length), at: first, text: line });
        mine.cursor = cursor;
        mine.over = cursor === undefined || mine.lines.length >= MOST_LINES;
        mine.busy = false;
        setText({ lines: [...mine.lines], loading: false, over: mine.over, complete, problem: undefined });
      })
      .catch((thrown: unknown) => {
        if (mine !== reading.current) return;
        mine.busy = false;
        setText((before) => ({ ...before, loading: false, problem: asProblem(thrown) }));
      });
  }, [transport, session, channel, from]);
  useEffect(() => more(), [more]);
  return { text, more };
}
