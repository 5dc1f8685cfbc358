import { SallyportError } from '../../base/errors.ts';

/** How far a list of hits has come: it goes on with the lines of this block before this one, and then with what is older. */
export interface SearchCursor {
  readonly moment: number;
  readonly tie: number;
  readonly line: number;
}

/** More lines than a block has. */
export const WHOLE_BLOCK = 99_999;
export const BEGINNING: SearchCursor = { moment: Number.MAX_SAFE_INTEGER, tie: 0, line: 0 };

export function isFurther(one: SearchCursor, other: SearchCursor): boolean {
  return (
    one.moment < other.moment || (one.moment === other.moment && (one.tie < other.tie || (one.tie === other.tie && one.line < other.line)))
  );
}

export function writeCursor({ moment, tie, line }: SearchCursor): string {
  return `${moment}.${tie}.${line}`;
}

/** Throws REQUEST_INVALID. */
export function readCursor(text: string): SearchCursor {
  const [, moment, tie, line] = /^(\d{1,16})\.(\d{1,10})\.(\d{1,5})$/.exec(text) ?? [];
  const cursor = { moment: Number(moment), tie: Number(tie), line: Number(line) };
  if (line === undefined || !Number.isSafeInteger(cursor.moment))
    throw new SallyportError('REQUEST_INVALID', 'cursor: it is not one that a page before ended with');
  return cursor;
}
