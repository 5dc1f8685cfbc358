import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** What the kernel says of a running process. */
export interface ProcessFacts {
  /** Bytes of memory that are resident now. */
  resident: number;
  /** The most that ever was resident. */
  residentPeak: number;
  openFiles: number;
}

export function processFacts(pid: number): ProcessFacts {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return {
    resident: kibibytes(status, 'VmRSS'),
    residentPeak: kibibytes(status, 'VmHWM'),
    openFiles: readdirSync(`/proc/${pid}/fd`).length,
  };
}

/** Starts the peak of `residentPeak` anew. */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** Every process below this one, parents first. */
export function descendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    const parent = /^\d+$/.test(entry) ? parentOf(Number(entry)) : undefined;
    if (parent === undefined) continue;
    children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  const below = (of: number): number[] => (children.get(of) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(pid);
}

/** SIGKILL to a process that may have ended by itself. */
export function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown;
  }
}

function parentOf(pid: number): number | undefined {
  try {
    // The name in parentheses may hold anything, so the fields count from the last parenthesis.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined; // it ended meanwhile
  }
}

function kibibytes(status: string, field: string): number {
  const value = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1];
  if (value === undefined) throw new Error(`/proc says nothing of ${field}`);
  return Number(value) * 1024;
}
