/** Characters: far more than id, time, type and session of any record have. */
export const LISTED_LENGTH = 200;

/** What the database lists a record as. None of the four has a space or a line feed in it. */
export function listedAs({ id, time, type, session }: { id: string; time: string; type: string; session?: string }): string {
  return `${id} ${time} ${type} ${session ?? '-'}`.slice(0, LISTED_LENGTH);
}
