/** The code of an error of the operating system (`ENOSPC` and the like), or undefined for any other error. */
export function errnoCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown) || !('syscall' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}

/** Whether a write failed because there was no room for it. */
export function isNoSpace(thrown: unknown): boolean {
  const code = errnoCode(thrown);
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** Whether a file is not there, or not any more: a stretch is dropped from the journal once it is sealed. */
export function isGone(thrown: unknown): boolean {
  return errnoCode(thrown) === 'ENOENT';
}
